"""What `lab status` and `lab restart` ask, of servers of this process: their certificates, webhooks, leases, objects."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import merge_kubeconfigs
from lab.commands import restart
from lab.component import Component, Health, read_health, record_health, remove
from lab.pki import Authority, write_kubeconfig
from lab.run import Run
from lab.status import checks
from lab.tests.cli_fakes import ASKED, state
from lab.wait import NotYet

Json = dict[str, Any]
FRESH = "2999-01-01T00:00:00.000000Z"
STALE = "2020-01-01T00:00:00.000000Z"


class Handle:
    """What merge_kubeconfigs needs of a cluster."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig


class Server:
    """One API server of this process, known to a run as all of its clusters. `answers` are (status, document) by verb and path."""

    def __init__(self, folder: Path) -> None:
        self.run = Run.create("blue", ASKED, root=folder)
        self.ca = Authority.ensure(self.run.folder("pki", "host"), "ca", common_name="ca")
        self.answers: dict[str, tuple[int, Json]] = {"GET /readyz": (200, {})}
        self.slow = threading.Event()
        self.slow.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.slow.wait(5)
                status, document = server.answers.get(f"{self.command} {self.path.partition('?')[0]}", (404, {"message": "not found"}))
                content = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815 (http.server's name)

            def log_message(self, *_: Any) -> None: ...

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None: ...

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.http.server_port
        self.present(self.ca, ["127.0.0.1"])
        self.client = self.ca.issue("admin", common_name="admin")
        files = []
        for context in ("karmada-host", "member1", "member2", "karmada-apiserver"):
            file = self.run.kubeconfig(context)
            write_kubeconfig(file, context=context, server=f"https://127.0.0.1:{self.port}", ca=self.ca.cert, client=self.client)
            files.append(Handle(file))
        merge_kubeconfigs(self.run, files)  # type: ignore[arg-type]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def present(self, authority: Authority, hosts: list[str]) -> None:
        """Show a certificate of this authority for these hosts from now on."""
        pair = authority.issue(f"server-{time.monotonic_ns()}", common_name="server", hosts=hosts)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pair.cert, pair.key)
        plain = getattr(self, "plain", None) or self.http.socket
        self.plain = plain
        accept = plain.accept

        def secured() -> Any:
            peer, address = accept()
            peer.settimeout(5)
            return tls.wrap_socket(peer, server_side=True), address

        self.http.get_request = secured  # type: ignore[method-assign]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.slow.set()
    made.http.shutdown()
    made.http.server_close()


def serving(server: Server) -> None:
    """Have it answer as a whole lab that is well."""
    holder = {"holderIdentity": "kwok", "renewTime": FRESH, "leaseDurationSeconds": 40}
    node = {"metadata": {"name": "n0"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    denied = {"message": "admission webhook denied the request: no"}
    server.answers |= {
        "GET /api/v1/nodes": (200, {"items": [node]}),
        f"GET {checks.LEASES}/kube-node-lease/leases": (200, {"items": [{"metadata": {"name": "n0"}, "spec": holder}]}),
        f"GET {checks.LEASES}/karmada-cluster/leases/member2": (200, {"spec": holder}),
        f"POST {checks.POLICIES}": (403, denied),
        f"GET {checks.HOOKS}/validatingwebhookconfigurations": (200, {"items": [{"metadata": {"name": "v"}, "webhooks": [{}, {}]}]}),
        "GET /role": (200, {}),
    }
    server.run.record("members", "member2", {"mode": "pull", "state": "joined", "objects": ["/role"], "later": ["/later"]})
    (server.run.path / "description.json").write_text(json.dumps({"webhooks": {"validatingwebhookconfigurations/v": [{}, {}]}}))


def found(server: Server) -> list[str]:
    return checks.find_faults(server.run, [], within=2.0)


def test_of_a_lab_that_is_well_nothing_is_found(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    serving(server)
    monkeypatch.setattr(checks, "check_completion", lambda status, answer: [])  # this server refuses every policy

    assert found(server) == []


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("GET /readyz", (500, {}), "karmada-host does not serve"),
        ("GET /api/v1/nodes", (200, {"items": [{"metadata": {"name": "n0"}, "status": {}}]}), "node host/n0 is not Ready (not reported)"),
        (
            "GET /api/v1/nodes",
            (200, {"items": [{"metadata": {"name": "n0"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}]}),
            "node member1/n0 is not Ready (Unknown)",
        ),
        (
            f"GET {checks.LEASES}/kube-node-lease/leases",
            (200, {"items": [{"metadata": {"name": "n0"}, "spec": {"holderIdentity": "kwok", "renewTime": STALE}}]}),
            "the lease of node member1/n0 was renewed",
        ),
        (f"GET {checks.LEASES}/karmada-cluster/leases/member2", (404, {}), "the lease of member2's agent is not there"),
        (f"GET {checks.LEASES}/karmada-cluster/leases/member2", (200, {"spec": {}}), "the lease of member2's agent has no holder"),
        (f"POST {checks.POLICIES}", (500, {"message": "failed calling webhook: refused"}), "karmada-webhook does not answer"),
        (f"POST {checks.POLICIES}", (201, {}), "karmada-webhook is not called"),
        (f"POST {checks.POLICIES}", (404, {"message": "not found"}), "karmada-webhook does not answer: not found"),
        (f"GET {checks.HOOKS}/validatingwebhookconfigurations", (200, {"items": []}), "validatingwebhookconfigurations/v is gone"),
        (
            f"GET {checks.HOOKS}/validatingwebhookconfigurations",
            (200, {"items": [{"metadata": {"name": "v"}, "webhooks": [{}]}]}),
            "validatingwebhookconfigurations/v has 1 of 2 hooks",
        ),
        ("GET /role", (404, {}), "member2 lacks objects that its join created: /role"),
        ("GET /role", (200, {"metadata": {"deletionTimestamp": STALE}}), "member2 lacks objects that its join created: /role"),
        ("GET /api/v1/nodes", (200, {"items": [7]}), "karmada-host sent an answer"),
    ],
)
def test_each_unhealthy_part_is_found(server: Server, path: str, answer: tuple[int, Json], words: str) -> None:
    serving(server)
    server.answers[path] = answer

    assert [fault for fault in found(server) if fault.startswith(words)]


@pytest.mark.parametrize(
    ("status", "answer", "well"),
    [
        (201, {"metadata": {"labels": {checks.COMPLETED: "x"}}}, True),
        (201, {"metadata": {}}, False),
        (500, {"message": "failed calling webhook"}, False),
    ],
)
def test_a_policy_is_completed_by_the_mutating_webhook(status: int, answer: Json, well: bool) -> None:
    assert bool(checks.check_completion(status, answer)) is not well


def test_what_controllers_make_later_is_asked_for_later(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    serving(server)
    assert not [fault for fault in found(server) if "/later" in fault]
    monkeypatch.setattr(checks, "SETTLED", -1.0)

    assert [fault for fault in found(server) if "/later" in fault]


def test_all_is_asked_at_once_and_given_up_in_time(server: Server) -> None:
    serving(server)
    server.slow.clear()
    began = time.monotonic()
    answers = checks.find_faults(server.run, [], within=0.5)

    assert time.monotonic() - began < 2.0
    assert "karmada-host does not serve" in answers[0]


@pytest.mark.parametrize("how", ["another authority", "another host", "authority gone"])
def test_a_certificate_that_no_client_accepts_is_found(server: Server, how: str, tmp_path: Path) -> None:
    other = Authority.ensure(tmp_path / "other", "ca", common_name="ca")
    record_health(
        Component("host/kube-apiserver", Path("/x"), {}, ready=(Health(f"https://127.0.0.1:{server.port}/readyz", server.ca.cert),)),
        server.run,
    )
    program = state("host/kube-apiserver")
    restart.check_serving(server.run, program)
    if how == "another authority":
        server.present(other, ["127.0.0.1"])
    elif how == "another host":
        server.present(server.ca, ["example.org"])
    else:
        server.ca.cert.unlink()

    with pytest.raises(NotYet):
        restart.check_serving(server.run, program)
    assert [
        fault for fault in checks.find_faults(server.run, ["host/kube-apiserver"], within=2.0) if fault.startswith("host/kube-apiserver")
    ]


def test_an_api_server_is_asked_as_its_users_ask_it(server: Server, tmp_path: Path) -> None:
    """Both certificate and authority were exchanged: the program is well by its own authority, and no kubeconfig accepts it."""
    other = Authority.ensure(tmp_path / "other", "ca", common_name="ca")
    server.present(other, ["127.0.0.1"])
    record_health(
        Component("host/kube-apiserver", Path("/x"), {}, ready=(Health(f"https://127.0.0.1:{server.port}/readyz", other.cert),)), server.run
    )
    restart.check_serving(server.run, state("host/kube-apiserver"))  # its port is not one of a context
    with pytest.raises(NotYet, match="certificate"):
        restart.check_serving(server.run, state("host/kube-apiserver", ports=(server.port,)))


def test_an_endpoint_that_requires_a_client_certificate_is_checked_by_its_own_certificate(server: Server, tmp_path: Path) -> None:
    name, endpoint = "karmada/etcd", Health(f"tls://127.0.0.1:{server.port}", server.ca.cert)
    assert checks.check_program(name, [endpoint], within=2.0) == []
    server.present(Authority.ensure(tmp_path / "other", "ca", common_name="ca"), ["127.0.0.1"])

    assert checks.check_program(name, [endpoint], within=2.0) != []


def test_a_program_is_expected_until_it_is_removed(server: Server) -> None:
    part = Component("member1/kwok", Path("/k"), {}, ready=(Health("http://127.0.0.1:1/healthz"),))
    record_health(part, server.run)
    assert read_health(server.run) == {"member1/kwok": part.ready}
    remove("member1/kwok", server.run)

    assert read_health(server.run) == {}
