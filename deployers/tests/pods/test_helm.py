"""A chart is made complete once, and a release of it is installed once; what is not upstream's is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers.by_chart.release import ChartInstallation
from deployers.pods import helm as charts
from deployers.pods.helm import Helm
from deployers.tests.control_plane_fakes import Server, a_karmada
from lab.api import Api
from lab.errors import ProvisionError
from lab.machines.scripted import Scripted, ScriptedFailure

Json = dict[str, Any]
REFUSED = ScriptedFailure(1, "Error: looks like it cannot be reached\nno such host")
LISTED = ("/helm", "list")


def a_chart(folder: Path, *names: str) -> Path:
    """Return a chart whose lock names these dependencies."""
    chart = folder / "karmada"
    chart.mkdir(parents=True)
    (chart / "values.yaml").write_text("{}")
    locked = [{"name": name, "repository": "https://charts.example.org", "version": "2.31.4"} for name in names]
    (chart / "Chart.lock").write_text(yaml.safe_dump({"dependencies": locked}))
    return chart


def brings(args: tuple[str, ...]) -> str:
    """Do what `helm pull --untar` does."""
    to = Path(args[args.index("--untardir") + 1]) / args[2]
    to.mkdir()
    (to / "Chart.yaml").write_text("name: theirs")
    return ""


def helm(folder: Path, pull: ScriptedFailure | Callable[[tuple[str, ...]], str]) -> Helm:
    return Helm(Path("/helm"), Scripted({("/helm", "pull"): pull}), folder / "helm")


def test_where_the_repository_answers_the_locked_version_is_brought(tmp_path: Path) -> None:
    run, with_helm = a_karmada(tmp_path).run, helm(tmp_path, brings)

    made = charts.complete(a_chart(tmp_path / "release", "common"), with_helm, run, offline=False)

    assert (made / "charts/common/Chart.yaml").read_text() == "name: theirs"
    assert isinstance(with_helm.machine, Scripted)
    assert "--repo https://charts.example.org --version 2.31.4" in with_helm.machine.transcript()
    assert run.records("notes") == {}


@pytest.mark.parametrize(("offline", "why"), [(False, "no such host"), (True, "offline")])
def test_without_the_repository_the_replacement_is_used_with_a_warning(tmp_path: Path, offline: bool, why: str) -> None:
    run = a_karmada(tmp_path).run

    made = charts.complete(a_chart(tmp_path / "release", "common"), helm(tmp_path, REFUSED), run, offline=offline)

    templates = (made / "charts/common/templates/_standin.tpl").read_text()
    names = ("images.image", "images.pullSecrets", "tplvalues.render", "names.fullname", "labels.matchLabels", "labels.standard")
    assert all(f'define "common.{name}"' in templates for name in names)
    assert why in run.records("notes")["chart-common"]["text"]


def test_a_chart_is_made_complete_once_and_again_when_the_release_changes(tmp_path: Path) -> None:
    run, release, with_helm = a_karmada(tmp_path).run, a_chart(tmp_path / "release", "common"), helm(tmp_path, brings)
    for _ in range(2):
        charts.complete(release, with_helm, run, offline=False)
    assert isinstance(with_helm.machine, Scripted)
    assert with_helm.machine.transcript().count("pull") == 1

    (release / "values.yaml").write_text("{a: 1}")
    charts.complete(release, with_helm, run, offline=False)
    assert with_helm.machine.transcript().count("pull") == 2


def test_a_dependency_that_nothing_stands_in_for_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match=r"chart redis 2\.31\.4"):
        charts.complete(a_chart(tmp_path / "release", "redis"), helm(tmp_path, REFUSED), a_karmada(tmp_path).run, offline=False)


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
