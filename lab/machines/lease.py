"""The lease of a run on a machine: a file with the time, in seconds since the machine's boot, until which the run's programs may live.

What owns the programs there ends them when the lease is over, and deletes the run's files. A program of the local supervisor
(`lab.machines.lease_program`) renews it: when everything here is killed, or the network is gone for too long, nothing stays there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lab.errors import CommandFailed
from lab.machines.machine import Machine
from lab.program import Program
from lab.run import Run
from lab.supervisor.client import Supervisor

OWNERS = "program-owners"
"""The kind of the records of machines that have, or are about to have, files or programs of a run."""
LEASE = 30
"""Seconds that a lease lasts. Shorter than this, a network that is lost harms no program."""
RENEW_EVERY = 5.0
PROGRAM = "machines/lease"
RENEW = """
read -r up rest < /proc/uptime
echo "$((${up%.*} + $2))" > "$1/lease.$$" && mv -f "$1/lease.$$" "$1/lease"
"""
"""Two may renew at once: the program that keeps it, and a command that begins it again on a replaced machine."""
BEGIN = f"""
mkdir -p -m 0700 "$1" || exit
{RENEW}"""


def begin_lease(run: Run, name: str, machine: Machine, root: str) -> None:
    """Record that a machine is about to have programs of a run in `root`, give it a lease, and see to it that it is renewed."""
    record_owner(run, name, root)
    machine.run(["sh", "-c", BEGIN, "sh", root, str(LEASE)])
    Supervisor(run.path).start(make_program(run))
    Supervisor(run.path).settle(PROGRAM)


def record_owner(run: Run, name: str, root: str) -> None:
    """Record that a machine is about to have files or programs of a run in `root`: `lab down` and `lab gc` delete them there."""
    if name not in read_owners(run):
        run.record(OWNERS, name, {"root": root})


def renew_lease(machine: Machine, root: str) -> bool:
    """Renew the lease of a run; return False when it was over, and the run's directory is gone. ProvisionError without an answer."""
    try:
        machine.run(["sh", "-c", RENEW, "sh", root, str(LEASE)], within=LEASE / 2)
    except CommandFailed as failed:
        if failed.status is not None and failed.status > 0:
            return False
        raise
    return True


def read_owners(run: Run) -> dict[str, str]:
    """Return the run's directory on each machine that has programs of the run."""
    return {name: row["root"] for name, row in run.records(OWNERS).items()}


def make_program(run: Run) -> Program:
    """Return the program that renews the leases of a run."""
    agent = {name: os.environ[name] for name in ("SSH_AUTH_SOCK",) if name in os.environ}
    argv = (sys.executable, "-m", "lab.machines.lease_program", str(run.path))
    return Program(name=PROGRAM, argv=argv, log=run.log(PROGRAM), cwd=Path("/"), env=agent)
