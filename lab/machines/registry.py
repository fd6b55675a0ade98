"""The machines of a run by name, from its records alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.external_names import external_name
from lab.machines.container import Container
from lab.machines.lease import begin_lease
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.machines.owner import ProgramOwner, RemoteOwner
from lab.machines.record import ROOT_FOLDER, MachineRecord, read_machines
from lab.machines.ssh.host import SshHost
from lab.machines.systemd_owner import SystemdOwner
from lab.run import Run
from lab.supervisor.client import Supervisor

if TYPE_CHECKING:
    from lab.machines.ssh.machine import SshMachine

BY_SSH = ("ssh", "namespace", "vm")


def open_machine(run: Run, name: str) -> Machine:
    """Return a machine of a run; "local" and "" are this computer. Nothing is connected yet. UsageError when there is none."""
    if name in {"", "local"}:
        return Local(run.path)
    return open_remote_machine(run, name)


def open_owner(run: Run, name: str) -> ProgramOwner:
    """Return what owns the programs of a run on a machine; "local" and "" are this computer. UsageError when there is no such machine."""
    if name in {"", "local"}:
        return Supervisor(run.path)
    return open_remote_owner(run, name)


def open_remote_owner(run: Run, name: str) -> RemoteOwner:
    """Return what owns the programs of a run on another machine. UsageError when there is no such machine."""
    return open_remote_machine(run, name).owner


def open_remote_machine(run: Run, name: str) -> Container | SshMachine:
    """Return another machine of a run. UsageError when there is none."""
    machines = read_machines(run)
    if find(machines, name, run).kind == "container":
        return Container(external_name(run.id, name), Local(run.path), lab=run.id, make_owner=partial(own_container, run, name))
    # paramiko: `lab down` of a lab without machines would take a quarter longer
    from lab.machines.open_ssh import open_ssh  # noqa: PLC0415 (paramiko: 0.4 s of CPU)

    return open_ssh(run, find(machines, name, run), ssh_host(machines, name, run))


def own_container(run: Run, name: str, machine: Container) -> RemoteOwner:
    """Return what owns the programs of a run in a container."""
    root = f"{ROOT_FOLDER}/runs/{run.id}"
    return SystemdOwner(machine, run.id, root, partial(begin_lease, run, name, machine, root))


def ssh_host(machines: dict[str, MachineRecord], name: str, run: Run, seen: tuple[str, ...] = ()) -> SshHost:
    """Return how a machine is reached, its jump hosts included. UsageError when they form a circle, or one is not reached by ssh."""
    record = find(machines, name, run)
    if record.kind not in BY_SSH:
        raise UsageError(f"opening machine {name} failed: a machine of kind {record.kind} is not reached by ssh", where=str(run.path))
    if name in seen:
        circle = " → ".join([*seen, name])
        raise UsageError(f"opening machine {name} failed: its jump hosts form a circle: {circle}", where=str(run.path))
    return SshHost(
        name=name,
        address=record.address,
        port=record.port,
        user=record.user,
        key=record.key,
        known_hosts=record.known_hosts,
        jump=ssh_host(machines, record.jump, run, (*seen, name)) if record.jump else None,
        sudo=record.sudo,
        sudo_password_file=record.sudo_password_file,
    )


def find(machines: dict[str, MachineRecord], name: str, run: Run) -> MachineRecord:
    """Return the record of a machine. UsageError lists those that there are."""
    if name not in machines:
        known = ", ".join(machines) or "none"
        raise UsageError(f"lab {run.id} has no machine {name!r}", where=f"{run.path} (machines: {known})")
    return machines[name]
