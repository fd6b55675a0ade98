"""The process that does one operation: `python -m deployers.operator.work TASKFILE`, started by `deployers.operator.worker`.

It writes JSON lines to its standard output: steps that begin and end, then one line with the result or the error. Its standard input is
the operator's promise: a line says that the operator still leads. When no line comes for `SILENT` seconds, or the input ends since the
operator is dead, the process kills itself at once, so that two operators never work on one Karmada.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from deployers.operator.perform import Task, describe, perform
from lab import environment, interrupt
from lab.errors import LabError
from lab.steps import Step, StepObserver

Json = dict[str, Any]
SILENT = 20.0
"""Seconds without a line from the operator: less than its lease."""


class ReportSteps(StepObserver):
    """Writes a line when a step begins or ends."""

    def __init__(self, output: int) -> None:
        self.output = output
        self.writing = threading.Lock()

    def write(self, **line: Any) -> None:
        with self.writing:
            os.write(self.output, json.dumps(line).encode() + b"\n")

    def begins(self, step: Step, *, left: int) -> None:
        self.write(event="begin", step=step.name, left=left)

    def ends(self, step: Step, *, seconds: float, error: BaseException | None, left: int) -> None:  # noqa: ARG002
        self.write(event="end", step=step.name, left=left, failed=error is not None)


def watch_operator(silent: float = SILENT) -> None:
    """Kill this process when the operator is silent for too long or has ended."""
    while True:
        ready, _, _ = select.select([0], [], [], silent)
        if not ready or not os.read(0, 4096):
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Do the task of the file that is named, and exit with the code of its error."""
    interrupt.install()
    environment.set_umask()
    output = os.dup(1)
    os.dup2(2, 1)  # what others print belongs into the log
    threading.Thread(target=watch_operator, name="operator", daemon=True).start()
    report = ReportSteps(output)
    try:
        result = perform(Task.parse(json.loads(Path(sys.argv[1]).read_text())), report)
    except LabError as error:
        print(error, file=sys.stderr, flush=True)
        report.write(error=type(error).__name__, message=describe(error), exit_code=error.exit_code)
        sys.exit(error.exit_code)
    except interrupt.Interrupted as stop:
        report.write(error="Interrupted", message="it was interrupted", exit_code=stop.exit_code)
        sys.exit(stop.exit_code)
    report.write(result=result)


if __name__ == "__main__":
    main()
