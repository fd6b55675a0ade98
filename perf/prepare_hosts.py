"""Prepare hosts of a run, as a command of its own: `python -m perf.prepare_hosts RUN COUNT [FILE]`, for `perf.bench_machines`.

A host is prepared when it can be logged in to, has the lease of the run, and a program of the run runs there. FILE is brought to each
host afterwards. Prints JSON: the seconds of that copy.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.factories.namespace.factory import make_machines
from lab.machines.placement import place_run
from lab.machines.registry import open_machine, open_remote_owner
from lab.program import Program
from lab.run import Run
from lab.steps import execute
from lab.supervisor.client import Supervisor

IDLE = ("sleep", "100000")


def prepare_hosts(run: Run, names: list[str]) -> None:
    """Make hosts, all at once, and start a program on each."""

    def start(name: str) -> None:
        log = open_remote_owner(run, name).run / "logs" / "idle.log"
        open_machine(run, name).start(Program("bench/idle", IDLE, log))

    execute(make_machines(run, names), run)
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(start, names))


def bring(run: Run, names: list[str], file: Path) -> float:
    """Bring a file of the cache to each host at once; return the seconds."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: place_run(run, name).bring([file]), names))
    return time.monotonic() - began


def main(args: list[str]) -> None:
    """Do what the module says."""
    path, count, *files = args
    run = Run.load(Path(path).name, root=Path(path).parent)
    names = [f"machine{number + 1}" for number in range(int(count))]
    with Supervisor(run.path).hold("bench"):
        prepare_hosts(run, names)
        prepared = time.time()
        seconds = sum(bring(run, names, Path(file)) for file in files)
        print(json.dumps({"prepared": prepared, "brought": seconds}))


if __name__ == "__main__":
    main(sys.argv[1:])
