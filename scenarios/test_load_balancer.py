"""Several karmada-apiservers behind one external name: when one dies or hangs, users and Karmada's components continue."""

from __future__ import annotations

import csv
import io
import signal
import socket
import ssl
from collections.abc import Iterator

import httpx
import pytest
import yaml
from cryptography import x509

from deployers.by_binary import balancer
from deployers.by_binary.components import apiservers
from deployers.by_binary.installation import open_plane
from deployers.checks.conformance import conformance
from deployers.karmada import Karmada
from deployers.plane.external import names_of
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.extra_lab import extra_lab
from scenarios.kit.figures import report_figures
from scenarios.kit.namespaces import make_namespace as made_namespace
from scenarios.kit.traffic import traffic
from scenarios.kit.waiting import eventually

EXTERNAL = "karmada.example.test"
PROGRAM = f"karmada/{balancer.NAME}"


@pytest.fixture(params=[2, 3])
def balanced_lab(request: pytest.FixtureRequest) -> Iterator[Karmada]:
    """Yield an extra lab with two or three API servers behind an external name, and as many webhooks and aggregated API servers."""
    if not balancer.find_haproxy():
        pytest.skip("haproxy is not installed, which stands before the API servers (apt-get install haproxy)")
    several = {name: {"replicas": request.param} for name in ("karmada-apiserver", *balancer.BEHIND)}
    karmada = {"by_binary": {"external_name": EXTERNAL}, "components": several}
    members = [{"name": "member1", "nodes": [{"count": 1}]}, {"name": "member2", "nodes": [{"count": 1}], "mode": "pull"}]
    with extra_lab({"provider": "embedded", "members": members, "karmada": karmada}, name="balancer") as own:
        yield own


@pytest.mark.thorough
@pytest.mark.breaks
def test_clients_go_on_when_an_api_server_dies_or_hangs(balanced_lab: Karmada, request: pytest.FixtureRequest) -> None:
    supervisor, instances = Supervisor(balanced_lab.run.path), apiservers(balanced_lab.spec)
    first, second = instances[:2]
    assert read_server_name(balanced_lab) == EXTERNAL
    assert EXTERNAL in names_of(fetch_certificate(balanced_lab)), "users are let in by a certificate that holds the name"
    eventually(lambda: check_backends(balanced_lab, UP=instances), within=15)
    for instance in instances:
        log = "audit.jsonl" if instance == first else f"audit{instance.removeprefix(first)}.jsonl"
        assert (balanced_lab.run.path / "logs" / "karmada" / log).exists(), "each has an audit log of its own"

    with made_namespace(balanced_lab, "used") as name:
        with traffic(balanced_lab, name) as going:
            going.until_written(20)
            with faults.kill_program(balanced_lab.run, f"karmada/{first}"):
                eventually(lambda: check_backends(balanced_lab, DOWN=[first]), within=15)
                going.until_written(20)
            killed = going.figures()
            eventually(lambda: check_backends(balanced_lab, UP=instances), within=30)

            supervisor.signal(f"karmada/{second}", signal.SIGSTOP)
            try:
                eventually(lambda: check_backends(balanced_lab, DOWN=[second]), within=15)
                going.until_written(20)
            finally:
                supervisor.signal(f"karmada/{second}", signal.SIGCONT)
            eventually(lambda: check_backends(balanced_lab, UP=instances), within=30)
            going.until_written(10)
        going.check()
    report_figures(request, instances=len(instances), longest_failed_write_after_a_kill_seconds=killed["longest_failed_write_seconds"])
    report_figures(request, **going.figures())
    assert float(killed["longest_failed_write_seconds"]) < 3.0, "a connection that is refused is made to another one at once"
    assert going.writes.longest < 10.0, "one that hangs is found out by two health checks"

    status = supervisor.status()
    assert status
    assert {name: state.restarts for name, state in status.programs.items() if state.restarts} == {}, "no component ended by that"
    conformance(balanced_lab).demand()
    faults.assert_recovered(balanced_lab)


@pytest.mark.thorough
@pytest.mark.breaks
@pytest.mark.parametrize("balanced_lab", [2], indirect=True)
def test_what_api_servers_call_goes_on_when_one_of_it_dies(balanced_lab: Karmada) -> None:
    for name in balancer.BEHIND:
        both = [name, f"{name}-2"]
        eventually(lambda: check_backends(balanced_lab, of=name, UP=both), within=15)  # noqa: B023 (asked here and now)
        for dead in both:
            with faults.kill_program(balanced_lab.run, f"karmada/{dead}"):
                eventually(lambda: check_backends(balanced_lab, of=name, DOWN=[dead]), within=15)  # noqa: B023
                # Its hooks convert, refuse and complete, and its API answers; that one of it is dead is told.
                assert [each.name for each in conformance(balanced_lab).failed] == ["no component was restarted"]
            eventually(lambda: check_backends(balanced_lab, of=name, UP=both), within=30)  # noqa: B023
    faults.assert_recovered(balanced_lab)


def read_server_name(karmada: Karmada) -> str:
    """Return the server name in the administrator's kubeconfig."""
    return str(yaml.safe_load(karmada.kubeconfig.read_text())["clusters"][0]["cluster"]["tls-server-name"])


def fetch_certificate(karmada: Karmada) -> x509.Certificate:
    """Return the certificate that the balancer serves for the external name, verified by Karmada's CA."""
    context = ssl.create_default_context(cafile=str(open_plane(karmada).layout.ca))
    port = open_plane(karmada).layout.ports[f"{balancer.NAME}.https"]
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5.0) as plain,
        context.wrap_socket(plain, server_hostname=EXTERNAL) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)


def check_backends(karmada: Karmada, *, of: str = "karmada-apiserver", **wanted: list[str]) -> None:
    """the balancer reports the state of each instance"""
    port = open_plane(karmada).layout.ports[f"{balancer.NAME}.health"]
    rows = csv.DictReader(io.StringIO(httpx.get(f"http://127.0.0.1:{port}/stats;csv", timeout=5.0, trust_env=False).text))
    seen = {row["svname"]: row["status"] for row in rows if row["# pxname"] == f"{of}s"}
    for state, instances in wanted.items():
        assert {instance: seen[instance].split()[0] for instance in instances} == dict.fromkeys(instances, state)
