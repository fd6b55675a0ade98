"""The operator's side of the process that does one operation: started, fed with promises, read, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import environment
from lab.import_root import import_root
from lab.run import runs_root

Json = dict[str, Any]
MODULE = __name__.rpartition(".")[0] + ".work"
SHOWN = 8
"""Steps that run now, in a status."""


@dataclass
class Progress:
    """How far an operation is."""

    done: int = 0
    left: int = 0
    failed: int = 0
    running: list[str] = field(default_factory=list)

    def take(self, line: Json) -> None:
        """Take a line of the worker into account."""
        if line.get("event") == "begin":
            self.running.append(line["step"])
        elif line.get("event") == "end":
            self.running = [step for step in self.running if step != line["step"]]
            self.done += 1
            self.failed += bool(line["failed"])
        self.left = int(line.get("left", self.left))

    @property
    def total(self) -> int:
        return self.done + self.left


class Worker:
    """One process that does one operation. `ended` is called when it has ended, from a thread; `result` is then its last line."""

    def __init__(self, kind: str, task: Path, log: Path, *, changed: Callable[[], None], ended: Callable[[], None]) -> None:
        self.kind = kind
        self.began = time.time()
        self.progress = Progress()
        self.result: Json = {}
        self.interrupted = False
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(task)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=inherit_environment(),
                start_new_session=True,
            )
        self.promise()
        threading.Thread(target=self.read, args=(changed, ended), name=f"worker {self.process.pid}", daemon=True).start()

    def read(self, changed: Callable[[], None], ended: Callable[[], None]) -> None:
        """Read the worker's lines until it ends."""
        assert self.process.stdout is not None
        for text in self.process.stdout:
            with suppress(ValueError):
                line = json.loads(text)
                if "event" in line:
                    self.progress.take(line)
                    changed()
                else:
                    self.result = line
        status = self.process.wait()
        if not self.result:
            how = f"was killed by signal {-status}" if status < 0 else f"exited with {status}"
            self.result = {"error": "WorkerEnded", "message": f"the process of the operation {how}", "exit_code": 4}
        ended()

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def promise(self) -> None:
        """Tell the worker that the operator still leads."""
        assert self.process.stdin is not None
        with suppress(OSError):
            os.write(self.process.stdin.fileno(), b"\n")

    def interrupt(self) -> None:
        """Ask the worker to end at the next border; a second call kills it."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL if self.interrupted else signal.SIGTERM)
        self.interrupted = True

    def kill(self) -> None:
        """End the worker at once."""
        with suppress(ProcessLookupError):
            self.process.kill()


def inherit_environment() -> dict[str, str]:
    """Return the environment of a worker: the operator's own, in which `lab` was started."""
    return {**environment.inherit_all(), "PYTHONPATH": str(import_root()), "KARMADA_LAB_RUNS": str(runs_root())}
