"""A release of the chart is left alone, upgraded, or replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployers.by_chart.release import ChartInstallation
from deployers.pods.helm import Helm
from deployers.tests.control_plane_fakes import Server, a_karmada
from deployers.tests.helm_fakes import a_chart
from lab.api import Api
from lab.errors import ProvisionError
from lab.machines.scripted import Scripted, ScriptedFailure

Json = dict[str, Any]
LISTED = ("/helm", "list")


class Settled:
    """A host cluster on which helm says that a release has a status."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, status: str = "") -> None:
        karmada = a_karmada(folder)
        listed = [{"name": "karmada", "status": status}] if status else []
        self.machine = Scripted({LISTED: json.dumps(listed), ("/helm",): ""})
        self.charted = ChartInstallation(karmada, {})
        chart = a_chart(folder / "release")
        server = Server()
        monkeypatch.setattr(ChartInstallation, "helm", Helm(Path("/helm"), self.machine, folder / "helm"))
        monkeypatch.setattr(ChartInstallation, "chart", lambda _: chart)
        monkeypatch.setattr(ChartInstallation, "clear", lambda _: None)
        monkeypatch.setattr(Api, "open", lambda *_, **__: server.api())

    def settle(self, values: Json) -> list[str]:
        """Settle the release and return the verbs of helm that changed something."""
        before = len(self.machine.done)
        self.charted.settle("karmada", values, self.charted.karmada.lab.host)
        return [done.args[1] for done in self.machine.done[before:] if done.args[1] != "list"]


def test_what_is_installed_with_the_same_values_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Settled(tmp_path, monkeypatch, "deployed")

    assert there.settle({"a": 1}) == ["upgrade"]
    assert there.settle({"a": 1}) == []
    assert there.settle({"a": 2}) == ["upgrade"]


def test_a_half_installed_release_is_uninstalled_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settled(tmp_path, monkeypatch, "pending-install").settle({}) == ["uninstall", "upgrade"]


def test_helms_last_word_is_the_error_and_pods_are_the_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Settled(tmp_path, monkeypatch)
    there.machine._answers["/helm", "upgrade"] = ScriptedFailure(1, "hooks ran\nError: failed pre-install: timed out")

    with pytest.raises(ProvisionError, match="failed pre-install"):
        there.settle({})
