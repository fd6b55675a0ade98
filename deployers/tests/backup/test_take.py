"""Backups on a schedule, and how many are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployers.backup import archive
from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.take import Backup, back_up, back_up_on_schedule, delete_oldest
from deployers.plane import pending_operation
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.day2_fakes import files, manifest
from lab.errors import LabError, ProvisionError


def test_the_newest_stay_and_other_planes_are_left_alone(tmp_path: Path) -> None:
    made = files(tmp_path / "made")
    kept = ArchiveFolder(tmp_path / "kept")
    mine = [archive.write(manifest(made, taken=1_700_000_000.0 + day * 86400, revision=day), made, kept.folder).name for day in range(4)]
    other = archive.write(manifest(made, plane="f" * 64), made, kept.folder).name
    (kept.folder / "notes.txt").write_text("mine")
    plane = manifest(made).plane

    assert delete_oldest(kept, plane, 2, new=mine[3]) == [mine[1], mine[0]]
    assert {path.name for path in kept.folder.iterdir()} == {mine[2], mine[3], other, "notes.txt"}
    assert delete_oldest(kept, plane, 2, new=mine[3]) == []


def test_the_new_one_stays_when_the_clock_was_set_back(tmp_path: Path) -> None:
    made = files(tmp_path / "made")
    kept = ArchiveFolder(tmp_path / "kept")
    before, new = (archive.write(manifest(made, taken=taken), made, kept.folder).name for taken in (1_700_003_600.0, 1_700_000_000.0))

    assert delete_oldest(kept, manifest(made).plane, 1, new=new) == [before]
    assert [each.name for each in kept.list_archives()] == [new]


@dataclass
class Fake:
    """A clock that is set forward by who sleeps, and by each backup."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def test_a_schedule_counts_from_beginning_to_beginning_and_outlives_failures(tmp_path: Path) -> None:
    clock = Fake()
    takes = iter([10.0, 70.0, 10.0])
    made = files(tmp_path / "made")
    good = Backup("", "", manifest(made), 1, 1.0)
    told: list[Backup | LabError] = []

    def take() -> Backup:
        clock.time += next(takes)
        if len(told) == 1:
            raise ProvisionError("etcd is away")
        return good

    back_up_on_schedule(take, every=60.0, report=told.append, times=3, clock=clock)

    assert [type(each) for each in told] == [Backup, ProvisionError, Backup]
    assert clock.slept == [50.0, 0.0]


def test_nothing_is_backed_up_while_a_change_is_half_done(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path)
    with pytest.raises(RuntimeError), pending_operation.hold_pending(karmada.run, "an upgrade", again="lab upgrade 1.18.2"):
        raise RuntimeError

    with pytest.raises(ProvisionError, match="upgrade of this"):
        back_up(karmada, ArchiveFolder(tmp_path / "kept"))
