"""The programs of a run wherever they run: on this computer and on the machines of the lab."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab.component import HEALTH, find_owner, record_name
from lab.errors import LabError
from lab.machines.owner import ProgramOwner
from lab.program import Program
from lab.run import Run
from lab.supervisor import record
from lab.supervisor.client import Supervisor
from lab.supervisor.state import ProgramState

OWNERS = "program-owners"
"""The kind of the records of machines that have programs of a run (lab.machines.lease)."""


@dataclass(frozen=True)
class RunPrograms:
    """The programs of a run at one moment, by name, and the machine of each ("" is this computer).

    `unreached` are the machines that did not answer, and why: what runs there is unknown. `supervised` is whether the supervisor of this
    computer runs.
    """

    states: Mapping[str, ProgramState]
    places: Mapping[str, str] = field(default_factory=dict)
    unreached: Mapping[str, str] = field(default_factory=dict)
    supervised: bool = True

    @property
    def running(self) -> set[str]:
        """The names of those that run."""
        return {name for name, state in self.states.items() if state.runs}


def read_programs(run: Run) -> RunPrograms:
    """Return the programs of a run; this computer and all machines are asked at once."""
    status = Supervisor(run.path).status()
    states = dict(status.programs) if status else {}
    places, unreached = dict.fromkeys(states, ""), dict[str, str]()
    for name, found in ask_machines(run).items():
        if isinstance(found, str):
            unreached[name] = found
        else:
            states |= found
            places |= dict.fromkeys(found, name)
    return RunPrograms(states, places, unreached, supervised=status is not None)


def ask_machines(run: Run) -> dict[str, Mapping[str, ProgramState] | str]:
    """Return the programs of a run on each of its machines, by the machine; of one that does not answer, the reason instead.

    All are asked at once.
    """
    names = sorted(run.records(OWNERS))

    def ask(name: str) -> Mapping[str, ProgramState] | str:
        try:
            return find_owner(run, name).programs()
        except LabError as error:
            return error.what

    with ThreadPoolExecutor(max(1, len(names))) as pool:
        return dict(zip(names, pool.map(ask, names), strict=True))


def read_definition(run: Run, program: str) -> Program:
    """Return the definition with which a program of this computer was last started. KeyError for one that never was."""
    row = record.read_records(str(run.path))[program]
    return Program(
        name=program,
        argv=tuple(row["argv"]),
        log=Path(row["log"]),
        env=row["env"],
        cwd=Path(row["cwd"]) if row["cwd"] else None,
        nice=row["nice"],
        needs=tuple(row["needs"]),
        ports=tuple(row["ports"]),
    )


def find_program_owner(run: Run, program: str) -> ProgramOwner:
    """Return what owns a program that was started, from the record of its start; of another program, the owner on this computer."""
    return find_owner(run, (run.recorded(HEALTH, record_name(program)) or {}).get("machine", ""))
