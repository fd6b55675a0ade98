"""A kubeconfig that is fetched from a host gets an address at which the cluster answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.api import Unreachable
from lab.errors import NotPossible, ProvisionError
from lab.existing import fetch as module
from lab.existing.fetch import fetch_kubeconfig, is_loopback, list_candidates
from lab.kubeconfig import KubeContext, read_context
from lab.machines.scripted import Answer, Scripted, ScriptedFailure

FILE = """
clusters: [{name: default, cluster: {server: "https://127.0.0.1:6443", %s}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
users: [{name: default, user: {token: secret}}]
"""


def candidates(server: str, address: str) -> list[tuple[str, str | None]]:
    given = KubeContext({"server": server}, {}, Path())
    return [(each.server, each.cluster.get("tls-server-name")) for each in list_candidates(given, address)]


def test_a_loopback_address_is_replaced_by_the_hosts_with_its_port() -> None:
    assert candidates("https://127.0.0.1:6443", "10.0.0.5")[:2] == [("https://10.0.0.5:6443", None), ("https://10.0.0.5:6443", "127.0.0.1")]
    assert candidates("https://[::1]:6443", "fd00::5")[0] == ("https://[fd00::5]:6443", None)


def test_another_address_is_tried_first_as_it_is() -> None:
    assert candidates("https://api.inside", "10.0.0.5")[:3] == [
        ("https://api.inside", None),
        ("https://10.0.0.5:443", None),
        ("https://10.0.0.5:443", "api.inside"),
    ]


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("0.0.0.0", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("api", False)]
)
def test_loopback_addresses_are_recognised(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


class OneAnswers:
    """Opens kubeconfigs; only one server answers."""

    def __init__(self, server: str) -> None:
        self.server = server

    def open(self, file: Path) -> OneAnswers:
        self.asked = read_context(file).server
        return self

    def request(self, verb: str, path: str) -> None:
        if self.asked != self.server:
            raise Unreachable(f"{verb} {path}: refused")


def on_host(answer: Answer) -> Scripted:
    return Scripted({("sh", "-c"): answer})


def test_the_kubeconfig_is_written_with_the_address_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Api", OneAnswers("https://10.0.0.5:6443"))
    to = tmp_path / "east.yaml"

    fetch_kubeconfig(on_host(FILE % ""), "10.0.0.5", to, name="east")

    assert read_context(to, context="east").server == "https://10.0.0.5:6443"
    assert read_context(to).user == {"token": "secret"}
    assert to.stat().st_mode & 0o777 == 0o600


def test_where_nothing_answers_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Api", OneAnswers(""))

    with pytest.raises(ProvisionError) as raised:
        fetch_kubeconfig(on_host(FILE % ""), "10.0.0.5", tmp_path / "east.yaml", name="east")

    assert "10.0.0.5:6443" in (raised.value.detail or "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", [ScriptedFailure(44), FILE % "certificate-authority: ca.crt", "no kubeconfig", "{}"])
def test_a_host_without_a_kubeconfig_that_can_be_used_elsewhere_is_refused(tmp_path: Path, answer: Answer) -> None:
    with pytest.raises(NotPossible):
        fetch_kubeconfig(on_host(answer), "10.0.0.5", tmp_path / "east.yaml", name="east")

    assert list(tmp_path.iterdir()) == []
