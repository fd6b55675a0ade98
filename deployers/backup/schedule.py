"""When backups are taken: by a cron expression of five fields, in a time zone.

One rule covers a start, a backup that took long, a computer that slept, and a clock that was set: the next run is the first time of the
expression after the last run began, or at once where that has passed. So times that were missed are made up for by one run, and a
clock that is set back an hour repeats none.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from deployers.backup.take import Backup
from lab.errors import LabError, UsageError

AHEAD = dt.timedelta(days=1)
"""How far in the future the last backup may be: beyond, the clock was wrong when it was taken, and its time says nothing."""
LONGEST_SLEEP = 30.0
"""Seconds after which the clock is looked at again: it may have been set, or this computer was suspended."""


class WallClock(Protocol):
    """**Protocol:** the time of day, which may jump; `lab.wait.Clock` is of times that do not."""

    def now(self) -> dt.datetime: ...

    def sleep(self, seconds: float) -> None: ...


class SystemWallClock:
    """This computer's clock."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


WALL_CLOCK = SystemWallClock()


@dataclass(frozen=True)
class CronSchedule:
    """A cron expression in a time zone. A day's time that does not exist when clocks go forward is skipped to the next that does."""

    expression: str
    zone: ZoneInfo

    @classmethod
    def parse(cls, expression: str, zone: str = "UTC") -> CronSchedule:
        """Return the schedule. UsageError when the expression does not have five valid fields, or the zone is unknown."""
        if len(expression.split()) != 5:
            raise UsageError(
                f"invalid schedule {expression!r}: it has {len(expression.split())} fields, not five",
                remedy='minute hour day month weekday, as in "0 2 * * *" for two o\'clock every night',
            )
        try:
            made = cls(expression, ZoneInfo(zone))
            made.following(dt.datetime.now(dt.UTC))
        except CronSimError as error:
            raise UsageError(f"invalid schedule {expression!r}: {error}", remedy='as in "0 2 * * *"') from error
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise UsageError(
                f"unknown time zone {zone!r}", remedy="a name as Europe/Berlin or UTC; its data is Debian's package tzdata"
            ) from error
        return made

    def following(self, moment: dt.datetime) -> dt.datetime:
        """Return the first time of the schedule after a moment, in UTC."""
        found: dt.datetime = next(CronSim(self.expression, moment.astimezone(self.zone)))
        return found.astimezone(dt.UTC)


def back_up_by_schedule(
    back_up: Callable[[], Backup],
    schedule: CronSchedule,
    *,
    last: dt.datetime | None,
    report: Callable[[Backup | LabError], object],
    times: int | None = None,
    clock: WallClock = WALL_CLOCK,
) -> None:
    """Take backups by a schedule until interrupted (or `times` times). `last` is when the newest backup was taken; None: there is none.

    A backup that failed is passed to `report`, does not end the schedule, and is not repeated before its next time.
    """
    began, done = last if last is not None and last < clock.now() + AHEAD else clock.now(), 0
    while times is None or done < times:
        due = schedule.following(began)
        while (left := (due - clock.now()).total_seconds()) > 0:
            clock.sleep(min(left, LONGEST_SLEEP))
        began = max(clock.now(), due)
        try:
            report(back_up())
        except LabError as error:
            report(error)
        done += 1
