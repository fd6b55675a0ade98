"""`lab exec`: a command with the environment of a lab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lab.tests.cli_fakes import World, invoke, world

__all__ = ["world"]


def test_exec_becomes_the_command(world: World, clients: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(os, "execvpe", lambda *call: calls.append(call))
    invoke("exec", "--", "kubectl", "get", "nodes", "-o", "json")

    program, argv, env = calls[0]
    assert (program, argv) == ("kubectl", ["kubectl", "get", "nodes", "-o", "json"])
    assert env["PATH"].startswith(str(clients))


@pytest.mark.parametrize(
    ("caller", "expected"), [({}, ""), ({"no_proxy": "corp.test"}, "corp.test,"), ({"NO_PROXY": "corp.test"}, "corp.test,")]
)
def test_clusters_of_a_lab_are_reached_directly(
    world: World, clients: Path, monkeypatch: pytest.MonkeyPatch, caller: dict[str, str], expected: str
) -> None:
    calls: list[dict[str, str]] = []
    monkeypatch.setattr(os, "execvpe", lambda *call: calls.append(call[2]))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    odd = {"HTTPS_PROXY": "http://127.0.0.1:9", "KUBECONFIG": "/odd", "HELM_KUBEAPISERVER": "https://odd", "HELM_DRIVER": "secret"}
    invoke("exec", "--", "kubectl", "get", "nodes", **odd, **caller)
    printed = invoke("env", **odd, **caller).out

    assert calls[0]["NO_PROXY"] == calls[0]["no_proxy"] == f"{expected}localhost,127.0.0.1,::1,172.18.0.2"
    assert f"export no_proxy={expected}localhost,127.0.0.1,::1,172.18.0.2\n" in printed
    assert (calls[0]["HTTPS_PROXY"], calls[0]["HELM_DRIVER"]) == ("http://127.0.0.1:9", "secret")
    assert calls[0]["KUBECONFIG"] == str(world.root / "default" / "kubeconfig.yaml")
    assert "HELM_KUBEAPISERVER" not in calls[0]
    assert "unset HELM_KUBEAPISERVER\n" in printed


def test_exec_of_a_program_that_is_not_there(world: World, clients: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "execvpe", fail)
    done = invoke("exec", "--", "kubctl")

    assert done.code == 2
    assert "cannot run kubctl" in done.err
