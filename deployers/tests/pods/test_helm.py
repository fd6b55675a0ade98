"""A chart is made complete once, and a release of it is installed once; what is not upstream's is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.pods import helm as charts
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.helm_fakes import a_chart, helm
from lab.errors import ProvisionError
from lab.machines.scripted import Scripted, ScriptedFailure

REFUSED = ScriptedFailure(1, "Error: looks like it cannot be reached\nno such host")


def brings(args: tuple[str, ...]) -> str:
    """Do what `helm pull --untar` does."""
    to = Path(args[args.index("--untardir") + 1]) / args[2]
    to.mkdir()
    (to / "Chart.yaml").write_text("name: theirs")
    return ""


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
