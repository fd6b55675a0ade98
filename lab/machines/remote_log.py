"""The log of a program on a machine: its last lines, and the error of a program that ended."""

from __future__ import annotations

from contextlib import suppress

from lab.errors import ComponentExited, ProvisionError
from lab.machines.machine import Machine
from lab.supervisor.state import TAIL, ProgramState, last_lines

READ = """
size=$(stat -c %s -- "$1") && start=$2 && [ "$start" -le "$size" ] || start=0
tail -c "+$((start + 1))" -- "$1" | tail -c "$3"
"""
"""Print the end of a log since a program began; all of it where the log was emptied meanwhile."""


def read_last_lines(machine: Machine, state: ProgramState) -> str:
    """Return the last lines that a program logged since it was last started; "" when its machine does not answer, or there are none."""
    with suppress(ProvisionError):
        argv = ["sh", "-c", READ, "sh", str(state.log), str(state.log_offset), str(TAIL)]
        return last_lines(machine.run(argv).stdout.encode())
    return ""


def make_remote_exit_error(machine: Machine, state: ProgramState) -> ComponentExited:
    """Return the error of a program that ended on a machine."""
    error = ComponentExited(state.name, status=state.status, log=state.log, tail=read_last_lines(machine, state))
    error.where = f"{machine.name}: {state.log}"
    return error
