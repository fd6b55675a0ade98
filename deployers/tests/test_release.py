from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deployers.release import ADDONS, CONTROL_PLANE, TREES, Release, catalogue
from lab.assets import AssetRef, Cache, Supply
from lab.assets.golang import make_build_flags
from lab.assets.progress import ignore_progress
from lab.errors import NotPossible, UsageError

TAG = "kubernetes_protomessage_one_more_release"


def supply(tmp_path: Path, **how: object) -> Supply:
    return Supply(cache=Cache(tmp_path / "cache"), catalogue=catalogue(), offline=True, **how)  # type: ignore[arg-type]


def put(lab: Supply, *refs: AssetRef) -> None:
    """Pretends that `refs` were brought before."""
    for ref in refs:
        pin = lab.pins.pin(ref)
        with lab.cache.working("w", subject="w", progress=ignore_progress) as area:
            made = area / "made"
            if pin.kind == "tree":
                (made / "deploy").mkdir(parents=True)
                (made / "deploy" / "x.yaml").write_text(pin.version)
            else:
                made.write_text(pin.version)
            lab.cache.publish(pin, "build", made, origin="here", seconds=1)


@pytest.mark.parametrize("text", ["1.18.2", "v1.18.2"])
def test_a_version_is_written_with_or_without_v(tmp_path: Path, text: str) -> None:
    release = Release.parse(text, supply=supply(tmp_path))

    assert (release.version, release.checkout, str(release)) == ("1.18.2", None, "v1.18.2")


@pytest.mark.parametrize("version", ["1.18.2", "1.18.1", "1.17.1"])
def test_every_pinned_release_has_all_its_parts(tmp_path: Path, version: str) -> None:
    release = Release.parse(version, supply=supply(tmp_path))

    assert {*CONTROL_PLANE, *ADDONS, "karmada-agent", "karmada-operator", "karmadactl", "kubectl-karmada"} < set(release.components)
    assert not set(release.components) & set(TREES)
    assert all(release.supply.pins.pin(release.ref(name)).version == version for name in (*release.components, *TREES))


def test_components_cannot_be_downloaded_and_say_so(tmp_path: Path) -> None:
    pins = supply(tmp_path).pins
    published = {name for name in Release.parse("1.18.2").components if pins.pin(AssetRef(name)).download}

    assert published == {"karmadactl", "kubectl-karmada"}
    assert "container image" in pins.pin(AssetRef("karmada-webhook")).no_download


@pytest.mark.parametrize("text", ["1.18.0", "v1.16.0", "9.9.9", "latest", "1.18", ""])
def test_a_release_that_is_not_pinned_names_those_that_are(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Release.parse(text, supply=supply(tmp_path))

    assert caught.value.where == "pinned: 1.18.2, 1.18.1, 1.17.1"


def test_paths_are_of_the_release(tmp_path: Path) -> None:
    lab = supply(tmp_path)
    for version in ("1.18.2", "1.17.1"):
        put(lab, *(AssetRef(name, version) for name in ("karmada-webhook", "karmada-crds", "karmada-manifests")))
    old, new = (Release.parse(version, supply=lab) for version in ("1.17.1", "1.18.2"))

    assert new.binary("karmada-webhook").read_text() == "1.18.2"
    assert old.binary("karmada-webhook").read_text() == "1.17.1"
    assert (new.manifests / "x.yaml").read_text() == "1.18.2"
    assert new.crds.name == "karmada-crds"
    assert set(new.bring(["karmada-webhook", "karmada-crds"])) == {"karmada-webhook", "karmada-crds"}


def test_what_is_missing_offline_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotPossible) as caught:
        Release.parse("1.18.2", supply=supply(tmp_path)).bring(CONTROL_PLANE)

    assert all(f"{name}@1.18.2" in (caught.value.remedy or "") for name in CONTROL_PLANE)


def test_a_checkout_is_a_release_of_its_own_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.assets.command import CommandResult

    tree = tmp_path / "karmada"
    tree.mkdir()
    (tree / "go.mod").write_text("module github.com/karmada-io/karmada\n\ngo 1.25.0\n")
    lab = supply(tmp_path, run=lambda *argv, **how: CommandResult(128, "", "no git"))
    monkeypatch.chdir(tmp_path)
    release = Release.parse("./karmada", supply=lab)

    assert release.checkout is not None
    assert release.version.startswith("0.0.0-g")
    assert release.ref("karmadactl") == AssetRef("karmadactl", str(tree))
    assert release == Release.parse(str(tree), supply=lab)
    (tree / "new.go").write_text("package x")
    assert release != Release.parse(str(tree), supply=lab)


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.org/other\n")

    with pytest.raises(UsageError, match=r"github\.com/karmada-io/karmada"):
        Release.parse(str(tmp_path), supply=supply(tmp_path))


def test_versions_compare(tmp_path: Path) -> None:
    lab = supply(tmp_path)

    assert Release("1.18.2", supply=lab).at_least("1.18.0")
    assert not Release("1.17.1", supply=lab).at_least("1.18.0")
    assert Release("1.18.0-beta.0-3-gabc", supply=lab).at_least("1.18.0")
    assert Release("0.0.0-gabc", supply=lab).at_least("1.99.0")


def test_every_program_of_karmada_and_nothing_else_has_the_tag() -> None:
    tagged = {pin.name for pin in catalogue() if TAG in pin.tags}

    assert {"karmada-scheduler", "karmada-descheduler", "karmada-scheduler-estimator", "karmadactl"} <= tagged
    assert not {"kube-apiserver", "etcd", "karmada-crds"} & tagged


def test_tags_reach_go_and_tell_one_build_from_another() -> None:
    pin = catalogue().pin(AssetRef.parse("karmada-scheduler"))

    flags = make_build_flags(pin.stamp, None, pin.tags)
    assert flags[flags.index("-tags") + 1] == TAG
    assert "-tags" not in make_build_flags(pin.stamp, None)
    assert replace(pin, tags=()).key != pin.key
