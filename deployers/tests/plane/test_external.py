from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deployers.plane.external import balancer_errors, external_etcd_errors, matches
from deployers.spec import ExternalEtcd
from lab.pki import Authority, Pair


@contextmanager
def etcd(ca: Authority, server: Pair, *, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") -> Iterator[str]:
    """Serve one answer over TLS on loopback to whoever has a certificate of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(server.cert), str(server.key))
    context.load_verify_locations(cafile=str(ca.cert))
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(2.0)
                try:
                    with context.wrap_socket(plain, server_side=True) as taken:
                        if taken.recv(4096):
                            taken.sendall(answer)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority.ensure(tmp_path, "ca", common_name="etcd-ca")


def files(ca: Authority, server: str, *, valid: dt.timedelta = dt.timedelta(days=2), authority: Path | None = None) -> ExternalEtcd:
    client = ca.issue(f"client-{valid.days}", common_name="client", valid=valid)
    return ExternalEtcd(servers=(server,), ca=authority or ca.cert, cert=client.cert, key=client.key)


def test_an_etcd_that_answers_is_no_obstacle(ca: Authority) -> None:
    with etcd(ca, ca.issue("server", common_name="server", hosts=["127.0.0.1"])) as server:
        assert external_etcd_errors(files(ca, server)) == []


def test_a_wrong_authority_and_a_wrong_name_give_different_errors(ca: Authority, tmp_path: Path) -> None:
    other = Authority.ensure(tmp_path / "other", "ca", common_name="other")
    with etcd(ca, ca.issue("server", common_name="server", hosts=["127.0.0.1"])) as server:
        assert "etcd.external.ca: " in external_etcd_errors(files(ca, server, authority=other.cert))[0]
    with etcd(ca, ca.issue("elsewhere", common_name="server", hosts=["10.0.0.1"])) as server:
        assert "does not name that address" in external_etcd_errors(files(ca, server))[0]


def test_what_does_not_answer_or_answers_otherwise_is_named(ca: Authority) -> None:
    with etcd(ca, ca.issue("server", common_name="server", hosts=["127.0.0.1"]), answer=b"HTTP/1.1 404 no\r\n\r\n") as server:
        assert "answers 404: is it an etcd?" in external_etcd_errors(files(ca, server))[0]
    assert f"{server} does not answer" in external_etcd_errors(files(ca, server))[0]


def test_an_expired_certificate_is_found_without_a_connection(ca: Authority) -> None:
    spec = files(ca, "https://127.0.0.1:1", valid=dt.timedelta(minutes=-5))

    assert "expired on" in external_etcd_errors(spec)[0]


def test_a_key_of_another_certificate_cannot_be_used(ca: Authority) -> None:
    one, two = ca.issue("one", common_name="one"), ca.issue("two", common_name="two")
    spec = ExternalEtcd(servers=("https://127.0.0.1:1",), ca=ca.cert, cert=one.cert, key=two.key)

    assert "its files cannot be used" in external_etcd_errors(spec)[0]


def test_a_load_balancer_must_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def close() -> None:  # as where nothing is behind it
            listener.accept()[0].close()

        closing = threading.Thread(target=close)
        closing.start()
        assert balancer_errors(address) == []
        closing.join()
    assert f"nothing answers at {address}" in balancer_errors(address)[0]


def test_what_answers_for_a_load_balancer_must_show_a_certificate_with_its_name(ca: Authority) -> None:
    def asked(*hosts: str) -> list[str]:
        with etcd(ca, ca.issue("-".join(hosts), common_name="server", hosts=hosts)) as server:
            return balancer_errors(server.removeprefix("https://"))

    assert asked("127.0.0.1", "localhost") == []
    assert "names lb.example.org, 10.0.0.1 and not 127.0.0.1" in asked("lb.example.org", "10.0.0.1")[0]


@pytest.mark.parametrize(
    ("host", "name", "same"),
    [("a.b.org", "*.b.org", True), ("c.a.b.org", "*.b.org", False), ("b.org", "b.org", True), ("b.org", "*.b.org", False)],
)
def test_a_star_stands_for_one_label(host: str, name: str, *, same: bool) -> None:
    assert matches(host, name) is same
