"""A harness that is killed while it makes machines: `lab down` and `lab gc` find all of them, at whichever moment it was."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import gc, ledger
from lab.docker_engine import find_engine
from lab.errors import NotPossible
from lab.run import Run
from lab.take_down import take_down
from lab.wait import NotYet, until
from scenarios.kit.machines import open_cases

pytestmark = [pytest.mark.xdist_group("machines"), pytest.mark.thorough]
KINDS = ("namespace", "container", "vm")
MOMENTS = 20
CREATE = """
import sys
from pathlib import Path
from lab.program import Program
from lab.errors import NotPossible
from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, until
from scenarios.kit.machines import MAKERS
kind, path = sys.argv[1], Path(sys.argv[2])
run = Run.load(path.name, root=path.parent)
with Supervisor(run.path, lease=3.0).hold("harness"):
    print("begins", flush=True)
    case = MAKERS[kind](run)[kind]
    case.machine.start(Program("test/sleep", ("sleep", "100000"), case.owner.run / "logs" / "sleep.log"))
    print("ready", flush=True)
    sys.stdin.read()
"""


class KilledHarness:
    """A harness in a process of its own, which makes machines of a kind in a run until it is killed."""

    def __init__(self, kind: str, root: Path) -> None:
        self.run = Run.create(f"kill-{kind}-{secrets.token_hex(2)}", {"lab": {"provider": "embedded"}}, root=root)
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        argv = [sys.executable, "-c", CREATE, kind, str(self.run.path)]
        self.log = root / f"{self.run.id}.log"
        with self.log.open("w") as errors:
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=env)
        self.wait_line("begins")

    def wait_line(self, line: str) -> None:
        """Wait until it has printed a line."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline().decode().strip() == line, self.log.read_text()

    def kill(self) -> None:
        """Kill it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture(scope="module")
def seconds() -> dict[str, float]:
    """The seconds that a harness takes to make machines of each kind: measured when a test first asks, images being there then."""
    return {}


def measure(kind: str, root: Path) -> float:
    """Return the seconds from the first machine's begin until a program runs on it."""
    harness = KilledHarness(kind, root)
    began = time.monotonic()
    try:
        harness.wait_line("ready")
    finally:
        took = time.monotonic() - began
        harness.kill()
        take_down(harness.run)
    return took


@pytest.mark.parametrize("number", range(MOMENTS))
@pytest.mark.parametrize("kind", KINDS)
def test_machines_of_a_killed_harness_are_found(
    kind: str, number: int, seconds: dict[str, float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if kind not in seconds:
        with open_cases(tmp_path / f"first-{secrets.token_hex(2)}") as cases:  # skips where there are none; makes image and saved state
            cases.open(kind)
        seconds[kind] = measure(kind, tmp_path)
    seed = secrets.randbelow(10**6)
    after = random.Random(seed).uniform(0.0, 1.1 * seconds[kind])
    by = "gc" if number % 2 else "down"
    with capsys.disabled():
        print(f"\n  {kind}: seed {seed}, killed after {after:.2f} of {seconds[kind]:.2f} s, removed by {by}")
    harness = KilledHarness(kind, tmp_path)
    time.sleep(after)
    harness.kill()
    engine = find_engine(harness.run.path)
    if by == "gc":

        def collect() -> None:
            try:
                gc.remove_run(harness.run.path)
            except NotPossible as error:  # the supervisor lives until the lease is over
                raise NotYet(error.what) from error

        until(collect, what="the harness' lab is dead and removed", within=30.0)
    else:
        take_down(harness.run)

    assert ledger.list_leftovers(harness.run.path, engine=engine) == []
