"""What the tests of the supervisor share: programs that do one thing, and questions about processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lab import proc
from lab.program import Program
from lab.wait import NotYet, until

ROOT = Path(__file__).parents[2]


def sleeper(run: Path, name: str = "member1/sleeper", **fields: object) -> Program:
    return program(run, name, "sleep", "1000", **fields)


def shell(run: Path, name: str, script: str, **fields: object) -> Program:
    return program(run, name, "sh", "-c", script, **fields)


def program(run: Path, name: str, *argv: str, **fields: object) -> Program:
    return Program(name=name, argv=argv, log=run / "logs" / f"{name}.log", **fields)  # type: ignore[arg-type]


def eventually(condition: Callable[[], object], what: str, within: float = 15.0) -> None:
    def look() -> None:
        if not condition():
            raise NotYet("not so")

    until(look, what=what, within=within, every=0.05)


def is_gone(pid: int | None) -> bool:
    return pid is None or proc.read_start_time(pid) is None


def harness(run: Path, *lines: str) -> subprocess.Popen[str]:
    """Another process that holds the lab and does `lines`, then says "ready" and waits to be killed."""
    code = "\n".join(
        [
            "import sys",
            "from pathlib import Path",
            "from lab.supervisor.client import Supervisor",
            "from lab.tests.supervision import *",
            "run = Path(sys.argv[1])",
            "supervisor = Supervisor(run, lease=0.4, backoff=0.05)",
            "hold = supervisor.hold('other')",
            *lines,
            "print('ready', flush=True)",
            "sys.stdin.read()",
        ]
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(run)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout
    assert child.stdout.readline() == "ready\n"
    return child
