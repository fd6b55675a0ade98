"""When backups are taken by a cron expression: time zones, missed times, a clock that is set back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployers.backup.schedule import CronSchedule, back_up_by_schedule
from deployers.backup.take import Backup
from deployers.tests.day2_fakes import files, manifest
from lab.errors import LabError, ProvisionError, UsageError


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "named"),
    [
        ("0 2 * *", "UTC", "five"),
        ("0 0 2 * * *", "UTC", "five"),
        ("61 2 * * *", "UTC", "61"),
        ("0 2 31 2 *", "UTC", "day"),
        ("0 2 * * *", "Europe/Nowhere", "zone"),
        ("0 2 * * *", "../etc/passwd", "zone"),
    ],
)
def test_a_wrong_schedule_is_a_usage_error(expression: str, zone: str, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        CronSchedule.parse(expression, zone)


@pytest.mark.parametrize(
    ("zone", "after", "due"),
    [
        ("UTC", "2026-11-29T01:00", "2026-11-29T02:00"),
        ("UTC", "2026-11-29T02:00", "2026-11-30T02:00"),
        ("Europe/Berlin", "2026-07-01T00:30", "2026-07-02T00:00"),
        ("Europe/Berlin", "2026-12-01T00:30", "2026-12-01T01:00"),
    ],
)
def test_the_time_is_that_of_the_zone(zone: str, after: str, due: str) -> None:
    assert CronSchedule.parse("0 2 * * *", zone).following(at(after)) == at(due)


@dataclass
class Fake:
    """A clock that only sleeping moves; `set_back` is taken off once."""

    time: dt.datetime
    set_back: dt.timedelta = dt.timedelta()
    longest: float = 0.0
    runs: list[dt.datetime] = field(default_factory=list)

    def now(self) -> dt.datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        self.time += dt.timedelta(seconds=seconds)


def run(clock: Fake, folder: Path, *, last: dt.datetime | None, times: int, took: float = 1.0) -> list[Backup | LabError]:
    reported: list[Backup | LabError] = []
    good = Backup("", "", manifest(files(folder / "made")), 1, 1.0)

    def take() -> Backup:
        clock.runs.append(clock.now())
        clock.time += dt.timedelta(seconds=took) - clock.set_back
        clock.set_back = dt.timedelta()
        if len(clock.runs) == 2:
            raise ProvisionError("etcd is away")
        return good

    back_up_by_schedule(take, CronSchedule.parse("0 * * * *"), last=last, report=reported.append, times=times, clock=clock)
    return reported


def test_it_runs_at_its_times_and_outlives_a_failure(tmp_path: Path) -> None:
    clock = Fake(at("2026-11-29T01:30"))

    reported = run(clock, tmp_path, last=None, times=3)

    assert clock.runs == [at("2026-11-29T02:00"), at("2026-11-29T03:00"), at("2026-11-29T04:00")]
    assert [type(each) for each in reported] == [Backup, ProvisionError, Backup]
    assert clock.longest <= 30.0, "a clock that is set is noticed"


def test_times_that_were_missed_are_made_up_for_by_one_run(tmp_path: Path) -> None:
    clock = Fake(at("2026-11-29T09:30"))

    run(clock, tmp_path, last=at("2026-11-29T02:00"), times=2)

    assert clock.runs == [at("2026-11-29T09:30"), at("2026-11-29T10:00")]


def test_a_backup_that_takes_longer_than_the_interval_is_followed_by_one(tmp_path: Path) -> None:
    clock = Fake(at("2026-11-29T01:59"))

    run(clock, tmp_path, last=None, times=2, took=2.5 * 3600)

    assert clock.runs == [at("2026-11-29T02:00"), at("2026-11-29T04:30")]


def test_a_clock_that_is_set_back_an_hour_repeats_none(tmp_path: Path) -> None:
    clock = Fake(at("2026-11-29T02:59"), set_back=dt.timedelta(hours=1))

    run(clock, tmp_path, last=None, times=2)

    assert clock.runs == [at("2026-11-29T03:00"), at("2026-11-29T04:00")]


def test_a_last_time_far_in_the_future_does_not_stop_the_schedule(tmp_path: Path) -> None:
    clock = Fake(at("2026-11-29T01:30"))

    run(clock, tmp_path, last=at("2036-01-01T00:00"), times=1)

    assert clock.runs == [at("2026-11-29T02:00")]
