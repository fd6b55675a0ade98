"""Renew the leases of a run on all machines that have its programs: `python -m lab.machines.lease_program RUN`, until it is ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lab.errors import LabError
from lab.machines.lease import RENEW_EVERY, read_owners, renew_lease
from lab.machines.registry import open_machine
from lab.run import Run
from lab.wait import SYSTEM

MOST = 64
"""The most leases that are renewed at the same time."""


class LeaseKeeper:
    """The leases of one run. A machine that does not answer keeps no other one waiting."""

    def __init__(self, run: Run, say: Callable[[str], None]) -> None:
        self.run = run
        self.say = say
        self.pool = ThreadPoolExecutor(MOST)
        self.renewing: dict[str, Future[None]] = {}
        self.last: dict[str, str] = {}

    def renew_all(self) -> None:
        """Begin to renew every lease that is not being renewed still."""
        for name, root in read_owners(self.run).items():
            if name not in self.renewing or self.renewing[name].done():
                self.renewing[name] = self.pool.submit(self._renew, name, root)

    def _renew(self, name: str, root: str) -> None:
        try:
            kept = renew_lease(open_machine(self.run, name), root)
            news = "renewed" if kept else "over: its programs have ended and their files are gone"
        except LabError as error:
            news = f"not renewed: {error.what}"
        if self.last.get(name) != news:  # a line for each change, not for each round
            self.last[name] = news
            self.say(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {name} {news}")


def main(path: Path) -> None:
    """Renew until this process is ended."""
    keeper = LeaseKeeper(Run.load(path.name, root=path.parent), lambda line: print(line, flush=True))
    while True:
        keeper.renew_all()
        SYSTEM.sleep(RENEW_EVERY)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
