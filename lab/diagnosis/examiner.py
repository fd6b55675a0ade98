"""End the waits of a process early when the lab they wait for is broken."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from lab.diagnosis.cause import Cause, Rank
from lab.diagnosis.diagnose import diagnose
from lab.diagnosis.programs import list_dead_programs
from lab.errors import LabError
from lab.run import Run
from lab.status.lab_status import expected_programs
from lab.supervisor.client import Supervisor

APART = 3.0
"""Seconds between two diagnoses: a cause that both find is no state that passes."""


@dataclass
class LabExaminer:
    """Finds out whether a lab is so broken that waiting for it makes no sense. Used by several threads.

    A program that is paused, stopped or ended for good is enough by itself; any other cause is reported when two diagnoses find it.
    Causes above the servers (members, bindings, pods) never end a wait: tests wait for such states on purpose.
    """

    run: Run
    suspects: set[str] = field(default_factory=set)
    asked_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find_block(self) -> str:
        """Return the first cause that blocks every wait; "" while there is none."""
        with self.lock:
            if dead := self.find_dead_programs():
                return dead[0].text
            now = time.monotonic()
            if now - self.asked_at < APART:
                return ""
            found = [cause for cause in diagnose(self.run).causes if cause.blocking and cause.rank <= Rank.SERVER]
            proven = [cause.text for cause in found if cause.subject in self.suspects]
            self.suspects, self.asked_at = {cause.subject for cause in found}, time.monotonic()
            return proven[0] if proven else ""

    def find_dead_programs(self) -> list[Cause]:
        """Return the causes of programs that do not run and will not by themselves; [] when the supervisor does not answer."""
        try:
            seen = Supervisor(self.run.path).status()
        except LabError:
            return []
        return list_dead_programs(seen.programs, expected_programs(self.run)) if seen else []
