"""Addons of others are put on and taken off whole, or refused before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers import addon as definition
from deployers.addon import Addon, addon
from deployers.addons import change, steps
from deployers.addons.site import Site
from deployers.tests.addons_fakes import a_site, established, newer, path
from deployers.tests.control_plane_fakes import Server, a_karmada, crd
from lab.cluster import Cluster
from lab.errors import LabError, NotPossible, ProvisionError, UsageError
from lab.spec import Capability

SETS = crd("apps.example.org", "sets", "Set")


@pytest.fixture
def pods_only(monkeypatch: pytest.MonkeyPatch) -> Addon:
    """An addon that needs pods, and one that needs it."""
    parts = addon("openkruise").parts
    made = {
        "mesh": Addon(name="mesh", what="", needs=(Capability.PODS,), parts=parts),
        "gate": Addon(name="gate", what="", after=("mesh",), parts=parts),
    }
    for module in (definition, steps, change):
        monkeypatch.setattr(module, "addon", made.__getitem__)
    monkeypatch.setattr(definition, "names", lambda: tuple(made))
    return made["mesh"]


def test_an_addon_that_needs_pods_is_refused_where_none_run(tmp_path: Path, pods_only: Addon) -> None:
    with pytest.raises(NotPossible, match="mesh cannot be") as caught:
        change.install(a_karmada(tmp_path), "mesh", "1.8.3")
    assert "needs PODS, which the provider embedded does not offer" in str(caught.value)


def test_an_addon_without_what_it_needs_and_one_that_is_needed_are_refused(tmp_path: Path, pods_only: Addon) -> None:
    with pytest.raises(UsageError, match="gate needs mesh"):
        change.install(a_karmada(tmp_path / "a"), "gate", "1.8.3")
    both = a_karmada(tmp_path / "b", {"addons": {"others": {"mesh": "1.8.3", "gate": "1.8.3"}}})
    with pytest.raises(UsageError, match="needed by gate"):
        change.remove(both, "mesh")


@pytest.mark.parametrize(
    ("act", "words", "said"),
    [
        (change.install, ("openkruise", "1.8.3"), "openkruise 1.7.0 is installed"),
        (change.upgrade, ("istio-base",), "istio-base is not installed"),
        (change.upgrade, ("openkruise", "1.9.9"), "openkruise-crds 1.9.9 is not pinned"),
        (change.install, ("istio-bas",), "did you mean 'istio-base'"),
    ],
)
def test_invalid_arguments_change_nothing(tmp_path: Path, act: Any, words: tuple[str, ...], said: str) -> None:
    karmada = a_karmada(tmp_path, {"addons": {"openkruise": "1.7.0"}})

    with pytest.raises(LabError) as caught:
        act(karmada, *words)
    assert said in str(caught.value)
    assert karmada.run.recorded("karmada", "unfinished") is None


def test_a_member_that_joins_later_gets_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    karmada, server = a_karmada(tmp_path, {"addons": {"openkruise": "1.7.0"}}), Server()
    (tmp_path / "assets/bases").mkdir(parents=True)
    (tmp_path / "assets/bases/sets.yaml").write_text(yaml.safe_dump(SETS))
    monkeypatch.setattr(change, "bring_assets", lambda *_: {"openkruise-crds@1.7.0": tmp_path / "assets"})
    known: list[str] = []
    monkeypatch.setattr(change, "wait_known", lambda *args: known.extend(each.name for each in args[-1]))
    member = Cluster("member2", "member2", tmp_path / "none.yaml")
    member.__dict__["api"] = server.api()

    change.install_on_new_member(karmada, member)

    assert path(SETS) in server.objects
    assert known == ["member2"]
    assert Site(karmada.run, "openkruise", member).version == "1.7.0"


def test_what_is_not_installed_is_removed_without_a_word(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path)
    assert change.remove(karmada, "openkruise") is karmada


def test_what_is_in_the_way_anywhere_keeps_it_from_everywhere(tmp_path: Path) -> None:
    free, taken = Server(), Server({path(SETS): {**SETS, "metadata": {**SETS["metadata"], "uid": "theirs"}, "status": established()}})
    folder = tmp_path / "assets/bases"
    folder.mkdir(parents=True)
    (folder / "sets.yaml").write_text(yaml.safe_dump(newer(SETS)))
    sites = [("members", a_site(tmp_path / "a", free)), ("karmada", a_site(tmp_path / "b", taken, name="karmada"))]

    with pytest.raises(ProvisionError) as caught:
        change.require_no_conflicts(addon("openkruise"), "1.8.3", sites, {"openkruise-crds@1.8.3": tmp_path / "assets"})  # type: ignore[arg-type]
    assert "karmada: sets.apps.example.org" in str(caught.value)
    assert not free.writes
