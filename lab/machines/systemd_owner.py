"""A machine's systemd as the owner of a run's programs: a unit for each program, bound to the unit of the run's lease.

The lease's unit watches the file of `lab.machines.lease`; when the lease is over it stops the run's units and deletes its files.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from lab.errors import CommandFailed, ComponentExited, UsageError
from lab.external_names import external_name
from lab.machines import units
from lab.machines.machine import Machine
from lab.machines.remote_log import make_remote_exit_error, read_last_lines
from lab.program import Program
from lab.supervisor.order import stop_waves
from lab.supervisor.readiness import wait_ready
from lab.supervisor.state import ProgramState
from lab.wait import NotYet, until

T = TypeVar("T")
PROPERTIES = ("Id", "ActiveState", "SubState", "MainPID", "ExecMainCode", "ExecMainStatus", "NRestarts", "Restart")
RUNNING = {"active": "running", "activating": "starting", "reloading": "running", "deactivating": "stopping"}
KILLED = frozenset({"2", "3"})
"""Of ExecMainCode: killed, dumped."""
UNLOADED = "0"
"""ExecMainCode of a unit that runs, and of one that ended in order and that systemd has unloaded since."""
WATCH = """\
root=$1 units=$2 folder=$3
while read -r until < "$root/lease" && read -r up rest < /proc/uptime && [ "${up%.*}" -lt "$until" ]; do sleep 2; done
systemctl stop --no-block "$units[!l]*" "$units"l[!e]\\*
sleep 1
systemctl kill --signal KILL "$units[!l]*" "$units"l[!e]\\*
rm -rf -- "$root" "$folder/$units"*
"""
SETTLED = "[Service]\nRestart=always\n"
READ_STATES = """
cd -- "$1" || exit
properties=$2
set -- $3
[ -e "$1" ] || exit 0
head -qn1 -- "$@"
systemctl show --property "$properties" -- "$@"
"""
"""Print the first line of every unit that matches, then what systemd shows of them, in this order."""
PREPARE = """
case $(systemctl show --property ActiveState --value -- "$1") in inactive|failed) rm -rf -- "$2" ;; esac
shift 2
mkdir -p -m 0700 -- "$@"
"""
"""Make directories, and let a unit that does not run become ready again before it is restarted."""
SETTLE = """
set -e
mkdir -p -- "$1"
cat > "$1/settled.conf"
systemctl daemon-reload
"""


class SystemdOwner:
    """The systemd of a machine that runs as root, for one run. `begin_lease` gives the run a lease there."""

    def __init__(self, machine: Machine, run_id: str, root: str, begin_lease: Callable[[], None]) -> None:
        self.machine = machine
        self.run_id = run_id
        self.run = Path(root)
        self.begin_lease = begin_lease

    def start(self, program: Program, *, replace: bool = False) -> ProgramState:
        """Start a program as a unit; see `ProgramOwner.start`."""
        lease = self._ensure_lease()
        unit, text = self._unit(program.name), units.render_unit(program, self.run_id, lease=lease)
        if replace and units.read_unit(self.machine, unit) not in {None, text}:
            self.stop(program.name)
        folders = [str(program.log.parent), *([str(program.cwd)] if program.cwd else [])]
        self.machine.run(["sh", "-c", PREPARE, "sh", unit, self._drop_ins(unit), *folders])
        units.start_unit(self.machine, unit, text)
        return self.state(program.name)

    def stop(self, name: str, *, within: float = 10.0, kill: bool = False) -> None:
        """End a program for good; see `ProgramOwner.stop`."""
        units.stop_unit(self.machine, self._unit(name), within=within, kill=kill)

    def restart(self, name: str, *, within: float = 10.0) -> ProgramState:
        """End a program and start it again."""
        self.stop(name, within=within)
        self.machine.run(["systemctl", "start", self._unit(name)])
        return self.state(name)

    def programs(self) -> dict[str, ProgramState]:
        """Return the programs by name, from systemd and from the units' own text."""
        return {state.name: state for state in self._read_states(external_name(self.run_id, "*.service"))}

    def state(self, name: str) -> ProgramState:
        """Return one program's state. UsageError when it is not known."""
        for state in self._read_states(self._unit(name)):
            return state
        known = ", ".join(self.programs()) or "none"
        raise UsageError(f"no program {name} was started", where=f"{self.machine.name} (programs there: {known})")

    def exited(self, name: str, *, within: float) -> ProgramState:
        """Wait until the program is not running, or for `within` s; return its state either way."""
        deadline = time.monotonic() + within

        def look() -> ProgramState:
            state = self.state(name)
            if state.runs and time.monotonic() < deadline:
                raise NotYet(state.state)
            return state

        return until(look, what=f"{name} has ended", within=within + 30.0)

    def settle(self, name: str) -> ProgramState:
        """Have systemd restart it from now on. ComponentExited when it has ended."""
        state = self.state(name)
        if not state.runs and state.state != "waiting":
            raise self.exit_error(state)
        if not state.settled:
            self.machine.run(["sh", "-c", SETTLE, "sh", self._drop_ins(self._unit(name))], input=SETTLED)
        return dataclasses.replace(state, settled=True)

    def ready(self, name: str, probe: Callable[[], T], *, within: float, what: str | None = None, every: float = 0.25) -> T:
        """Wait until `probe` returns; see `ProgramOwner.ready`."""
        return wait_ready(self, name, probe, within=within, what=what, every=every)

    def shutdown(self, *, within: float = 2.0) -> None:
        """Stop all programs; their files stay. `within` counts for each that others need."""
        running = {name: state.needs for name, state in self.programs().items() if state.runs or state.state == "waiting"}
        for name in (name for wave in stop_waves(running) for name in wave):
            self.stop(name, within=within)
        with suppress(CommandFailed):  # it has none
            self.machine.run(["systemctl", "stop", units.lease_unit(self.run_id)])

    def remove(self, *, within: float = 2.0) -> None:  # noqa: ARG002 (RemoteOwner's: what is deleted need not end in order)
        """Stop all programs, remove their units, delete the run's directory. Twice is fine."""
        names = units.remove_units(self.machine, self.run_id)
        self.machine.run(["rm", "-rf", "--", str(self.run), *map(self._drop_ins, names)])

    def tail(self, state: ProgramState) -> str:
        """Return the last lines that a program logged."""
        return read_last_lines(self.machine, state)

    def exit_error(self, state: ProgramState) -> ComponentExited:
        """Return the error of a program that ended."""
        return make_remote_exit_error(self.machine, state)

    def _unit(self, name: str) -> str:
        return units.unit_name(self.run_id, name)

    def _drop_ins(self, unit: str) -> str:
        """Return the directory of what is laid over a unit."""
        return str(units.FOLDER / f"{unit}.d")

    def _ensure_lease(self) -> str:
        """Start the unit of the lease, unless it runs; return its name."""
        name = units.lease_unit(self.run_id)
        if units.read_state(self.machine, name) in units.GONE:
            self.begin_lease()
            script = f"{self.run}/lease.sh"
            self.machine.run(["tee", script], input=WATCH)
            args = ("/bin/sh", script, str(self.run), external_name(self.run_id, ""), str(units.FOLDER))
            watcher = Program(name="lease", argv=args, log=self.run / "lease.log")
            units.start_unit(self.machine, name, units.render_unit(watcher, self.run_id))
        return name

    def _read_states(self, pattern: str) -> Iterator[ProgramState]:
        """Yield the state of every program that has a unit of a name that matches. One command: each may take a second there."""
        argv = ["sh", "-c", READ_STATES, "sh", str(units.FOLDER), ",".join(PROPERTIES), pattern]
        lines = self.machine.run(argv).stdout.splitlines()
        texts = [line for line in lines if line.startswith("# ")]
        blocks = "\n".join(lines[len(texts) :]).split("\n\n")
        lease = units.lease_unit(self.run_id)
        for text, block in zip(texts, blocks, strict=bool(texts)):
            row = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            if row["Id"] != lease:
                yield make_state(row, text)


def make_state(row: dict[str, str], text: str) -> ProgramState:
    """Return a program's state from what systemd shows of its unit and from the unit's text."""
    program = units.read_program(text)
    status = int(row["ExecMainStatus"])
    state = RUNNING.get(row["ActiveState"], "exited")
    if row["ActiveState"] == "activating" and row["SubState"].startswith("auto-restart"):
        state = "waiting"
    if row["ActiveState"] == "inactive" and row["ExecMainCode"] in {UNLOADED, *KILLED}:
        state = "stopped"  # systemd counts the signals that it sends itself as success; one that failed is "failed"
    ended = row["ExecMainCode"] != "0"
    return ProgramState(
        name=program.name,
        state=state,
        pid=int(row["MainPID"]) or None,
        argv=program.argv,
        log=program.log,
        status=(-status if row["ExecMainCode"] in KILLED else status) if ended else None,
        settled=row["Restart"] == "always",
        restarts=int(row["NRestarts"]),
        started_at=None,
        ended_at=None,
        delay=0.0,
        needs=program.needs,
        ports=program.ports,
        log_offset=0,
    )
