"""The record of a machine in a run directory: how it is reached, and what removes it. Written before the machine is made or touched."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from lab.run import Run

MACHINES = "machines"
"""The kind of these records."""


ROOT_FOLDER = "/var/lib/karmada-lab"
"""The directory of labs on a machine, with root rights."""
CACHE_FOLDER = "cache"
"""The directory of programs on a machine, below the one that all runs share there."""


@dataclass(frozen=True)
class MachineRecord:
    """A machine of a run.

    `kind` is local, ssh, namespace, container or vm. `jump` names another machine of the run. `folder` is the directory there that all runs
    share; "" takes the usual one. `systemd`: programs are units of its systemd. `detail` belongs to the factory that made the machine.
    """

    kind: str
    address: str = ""
    port: int = 22
    user: str = "root"
    key: str = ""
    known_hosts: str = ""
    jump: str = ""
    sudo: bool = False
    sudo_password_file: str = ""
    folder: str = ""
    systemd: bool = False
    detail: dict[str, str] | None = None


def record_machine(run: Run, name: str, record: MachineRecord) -> MachineRecord:
    """Write a machine's record and return it."""
    run.record(MACHINES, name, asdict(record))
    return record


def read_machines(run: Run) -> dict[str, MachineRecord]:
    """Return the machines of a run by name."""
    known = {field.name for field in fields(MachineRecord)}
    return {name: MachineRecord(**{key: row[key] for key in row if key in known}) for name, row in run.records(MACHINES).items()}


def forget_machine(run: Run, name: str) -> None:
    """Remove a machine's record."""
    run.forget(MACHINES, name)
