"""Which release may follow which, in what order its parts come, and how an upgrade that was interrupted goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.take import Backup
from deployers.checks import description
from deployers.day2 import upgrade
from deployers.day2.upgrade import CANNOT, CanUpgrade, require_same_upgrade, require_supported_skew, select_steps
from deployers.deployer import DEPLOYERS, get_deployer
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from lab import ports
from lab.assets import Supply
from lab.cluster import Lab
from lab.errors import LabError, NotPossible, ProvisionError, UsageError
from lab.run import Run
from lab.steps import Step, StepFailed

STEPS = [Step(name, lambda: None) for name in ("crds", "karmada-webhook", "karmada-scheduler")]


@pytest.fixture(autouse=True)
def reserved_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")


@pytest.mark.parametrize(
    ("here", "wanted", "rollback", "refused"),
    [
        ("1.17.1", "1.18.2", False, None),
        ("1.18.1", "1.18.2", False, None),
        ("1.18.2", "1.18.2", False, None),
        ("1.18.2", "1.17.1", True, None),
        ("1.18.2", "1.17.1", False, "earlier"),
        ("1.17.1", "1.18.2", True, "rollback"),
        ("1.16.0", "1.18.2", False, "minor release"),
        ("1.18.2", "1.16.0", True, "minor release"),
        ("1.18.2", "2.0.0", False, "minor release"),
    ],
)
def test_no_minor_is_skipped_and_going_back_is_asked_for(here: str, wanted: str, rollback: bool, refused: str | None) -> None:
    if refused is None:
        require_supported_skew(here, wanted, rollback=rollback)
        return
    with pytest.raises(UsageError, match=refused):
        require_supported_skew(here, wanted, rollback=rollback)


def test_one_component_at_a_time_is_the_next_one() -> None:
    assert [step.name for step in select_steps(STEPS, None, ["crds"])] == ["karmada-webhook", "karmada-scheduler"]
    assert [step.name for step in select_steps(STEPS, "karmada-webhook", ["crds"])] == ["karmada-webhook"]
    assert select_steps(STEPS, "crds", ["crds"]) == []
    with pytest.raises(UsageError, match="scheduler is not"):
        select_steps(STEPS, "karmada-scheduler", ["crds"])
    with pytest.raises(UsageError, match="component 'etcd'"):
        select_steps(STEPS, "etcd", [])


@pytest.mark.parametrize(
    ("only", "done", "chosen"),
    [
        ("karmada-webhook", ["crds"], ["karmada-webhook@a", "karmada-webhook@b"]),
        ("karmada-webhook@a", ["crds"], ["karmada-webhook@a"]),
        ("karmada-webhook", ["crds", "karmada-webhook@a"], ["karmada-webhook@b"]),
        ("karmada-webhook@b", ["crds"], None),
        ("karmada-webhook@c", ["crds"], None),
    ],
)
def test_a_component_is_upgraded_on_one_machine_at_a_time(only: str, done: list[str], chosen: list[str] | None) -> None:
    steps = [Step(name, lambda: None) for name in ("crds", "karmada-webhook@a", "karmada-webhook@b", "karmada-scheduler@a")]
    if chosen is None:
        with pytest.raises(UsageError, match=only):
            select_steps(steps, only, done)
    else:
        assert [step.name for step in select_steps(steps, only, done)] == chosen


@pytest.mark.parametrize(
    ("wanted", "rollback", "back", "goes"),
    [
        ("1.18.2", False, False, True),
        ("1.17.1", True, False, True),
        ("1.18.2", True, False, False),
        ("1.18.1", False, False, False),
        ("1.18.2", True, True, True),
        ("1.18.2", False, True, False),
    ],
)
def test_what_is_half_done_goes_on_or_back(wanted: str, rollback: bool, back: bool, goes: bool) -> None:
    known = {"from": "1.17.1", "to": "1.18.2", "back": back, "done": ["crds"], "again": "lab upgrade 1.18.2"}
    if goes:
        require_same_upgrade(known, wanted, rollback=rollback)
        return
    with pytest.raises(UsageError, match="done: crds"):
        require_same_upgrade(known, wanted, rollback=rollback)


@dataclass
class Fake:
    """A deployer whose upgrades do nothing, or fail at one component."""

    did: list[tuple[str, str]] = field(default_factory=list)
    fails: str = ""
    lost: bool = False
    backups: list[int] = field(default_factory=list)
    """How many components had been exchanged when each backup was taken."""

    def software(self, spec: KarmadaSpec) -> list[str]:
        return []

    def upgrade(self, karmada: Karmada, spec: KarmadaSpec, software: Mapping[str, Path], *, back: bool) -> list[Step]:
        def act(name: str) -> None:
            if name == self.fails:
                raise ProvisionError("it does not start")
            self.did.append((name, spec.release))

        names = [step.name for step in STEPS][:: -1 if back else 1]
        return [Step(name, partial(act, name), (before,) if before else ()) for before, name in zip([None, *names], names, strict=False)]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(upgrade, "get_deployer", lambda name: made)
    monkeypatch.setattr(description, "save", lambda karmada: None)

    def back_up(karmada: Karmada, destination: ArchiveFolder, **_: Any) -> Any:
        if made.lost:
            raise ProvisionError("etcd does not answer")
        path = destination.folder / f"karmada-{len(made.backups)}.tar.gz"
        made.backups.append(len(made.did))
        return Backup(str(path), path.name, None, 1, 1.0)  # type: ignore[arg-type]

    monkeypatch.setattr(upgrade, "back_up", back_up)
    monkeypatch.setattr(Supply, "resolve", lambda self, refs: {})
    return made


def again(karmada: Karmada) -> Karmada:
    """Return the control plane as the next command finds it."""
    return Karmada.open(Lab.open(Run.load(karmada.run.id, root=karmada.run.path.parent)))


def test_an_interrupted_upgrade_goes_on_where_it_was(tmp_path: Path, fake: Fake) -> None:
    karmada = a_karmada(tmp_path, {"release": "1.17.1"})
    fake.fails = "karmada-webhook"
    with pytest.raises(StepFailed):
        upgrade.upgrade(karmada, "1.18.2")
    assert again(karmada).spec.release == "1.17.1", "half an upgrade is not of the new release"
    with pytest.raises(ProvisionError, match="upgrade of this"):
        pending_operation.require_none(karmada.run)
    fake.fails = ""

    done = upgrade.upgrade(again(karmada), "1.18.2")

    assert fake.did == [(name, "1.18.2") for name in ("crds", "karmada-webhook", "karmada-scheduler")]
    assert (done.before, done.done, done.left) == ("1.17.1", ("karmada-webhook", "karmada-scheduler"), ())
    assert again(karmada).spec.release == "1.18.2"
    pending_operation.require_none(karmada.run)


def test_one_component_at_a_time_ends_in_the_new_release(tmp_path: Path, fake: Fake) -> None:
    karmada = a_karmada(tmp_path, {"release": "1.18.1"})
    releases = []
    for step in STEPS:
        upgrade.upgrade(again(karmada), "1.18.2", only=step.name)
        releases.append(again(karmada).spec.release)

    assert releases == ["1.18.1", "1.18.1", "1.18.2"]


def test_half_an_upgrade_can_be_taken_back(tmp_path: Path, fake: Fake) -> None:
    karmada = a_karmada(tmp_path, {"release": "1.17.1"})
    upgrade.upgrade(karmada, "1.18.2", only="crds")

    upgrade.upgrade(again(karmada), "1.17.1", rollback=True)

    assert fake.did[1:] == [(name, "1.17.1") for name in ("karmada-scheduler", "karmada-webhook", "crds")]
    assert again(karmada).spec.release == "1.17.1"
    pending_operation.require_none(karmada.run)


def test_of_the_release_already_nothing_is_done(tmp_path: Path, fake: Fake) -> None:
    done = upgrade.upgrade(a_karmada(tmp_path), "v1.18.2")

    assert (done.done, done.left, fake.did) == ((), (), [])


def test_a_release_that_is_not_there_is_refused(tmp_path: Path, fake: Fake) -> None:
    with pytest.raises(UsageError, match="unknown Karmada release"):
        upgrade.upgrade(a_karmada(tmp_path), "9.9.9")


@pytest.mark.parametrize("name", DEPLOYERS)
def test_every_deployer_upgrades_or_says_why_not(name: str, tmp_path: Path) -> None:
    if isinstance(get_deployer(name), CanUpgrade):
        return
    refused: pytest.ExceptionInfo[LabError]
    with pytest.raises(NotPossible, match=name) as refused:
        upgrade.upgrade(a_karmada(tmp_path, {"deployer": name}), "1.18.1")
    assert refused.value.where == CANNOT[name]


def test_a_backup_is_taken_before_each_component_and_is_the_way_back_until_all_is_done(tmp_path: Path, fake: Fake) -> None:
    karmada = a_karmada(tmp_path, {"release": "1.18.1"})
    done = [upgrade.upgrade(again(karmada), "1.18.2", only=step.name) for step in STEPS[:2]]

    assert fake.backups == [0, 1]
    assert [each.backup.name for each in done if each.backup] == ["karmada-0.tar.gz", "karmada-1.tar.gz"]
    with pytest.raises(ProvisionError) as refused:
        pending_operation.require_none(karmada.run)
    assert f"restore {done[1].backup}" in str(refused.value.remedy)
    upgrade.upgrade(again(karmada), "1.18.2", only=STEPS[1].name)
    assert fake.backups == [0, 1], "where nothing is done nothing is taken"


def test_an_upgrade_that_fails_says_the_way_back(tmp_path: Path, fake: Fake) -> None:
    fake.fails = "karmada-webhook"
    with pytest.raises(StepFailed) as failed:
        upgrade.upgrade(a_karmada(tmp_path, {"release": "1.17.1"}), "1.18.2")

    assert any("restore" in note and "karmada-0.tar.gz" in note for note in failed.value.__notes__)


def test_without_a_backup_no_upgrade_begins_and_one_that_was_begun_goes_on(tmp_path: Path, fake: Fake) -> None:
    karmada = a_karmada(tmp_path, {"release": "1.18.1"})
    fake.lost = True
    with pytest.raises(ProvisionError, match="etcd does not"):
        upgrade.upgrade(karmada, "1.18.2")
    assert fake.did == []
    pending_operation.require_none(karmada.run)
    fake.lost = False
    upgrade.upgrade(again(karmada), "1.18.2", only="crds")
    fake.lost = True
    done = upgrade.upgrade(again(karmada), "1.18.2", only="karmada-webhook")

    assert done.backup is not None
    assert done.backup.name == "karmada-0.tar.gz"
