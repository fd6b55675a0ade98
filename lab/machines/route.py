"""Whether this computer reaches an address of a machine: ssh may go through a jump host, an API server is always reached directly."""

from __future__ import annotations

import socket

from lab.errors import NotPossible
from lab.machines.record import read_machines
from lab.run import Run

WITHIN = 5.0


def check_route(run: Run, name: str) -> None:
    """Return when packets come back from a machine that has a jump host; one without is reached by ssh, which shows it.

    NotPossible when none come: it is asked before anything is brought to the machine.
    """
    record = read_machines(run)[name]
    if not record.jump:
        return
    try:
        socket.create_connection((record.address, record.port), timeout=WITHIN).close()
    except ConnectionRefusedError:
        return
    except OSError as error:
        raise NotPossible(
            f"reaching an API server on {name} failed: {record.address} is only behind the jump host {record.jump}"
            f" ({error.strerror or 'no answer'})",
            where=name,
            remedy="give this computer a route to that network (a VPN), or place the cluster on a machine that it reaches",
        ) from error
