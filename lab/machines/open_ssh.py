"""A machine that is reached by ssh, with what owns its programs."""

from __future__ import annotations

from functools import partial

from lab.machines.lease import begin_lease
from lab.machines.owner import RemoteOwner
from lab.machines.record import MachineRecord
from lab.machines.remote_supervisor import RemoteSupervisor
from lab.machines.ssh.host import SshHost
from lab.machines.ssh.machine import SshMachine
from lab.machines.systemd_owner import SystemdOwner
from lab.run import Run


def open_ssh(run: Run, record: MachineRecord, host: SshHost) -> SshMachine:
    """Return a machine of a run that is reached by ssh. Nothing is connected yet."""

    def own(machine: SshMachine) -> RemoteOwner:
        lease = partial(begin_lease, run, host.name, machine, machine.root)
        if record.systemd and host.has_root:
            return SystemdOwner(machine, run.id, machine.root, lease)
        return RemoteSupervisor(machine, lease)

    return SshMachine(host, run.id, folder=record.folder, owner=own)
