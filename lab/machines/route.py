"""Whether one machine reaches the addresses of another: found out before anything is brought there."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from lab.errors import CommandFailed, NotPossible
from lab.machines.machine import Machine
from lab.machines.record import read_machines
from lab.run import Run

WITHIN = 5.0
LACKS = 3
Target = tuple[str, int]
"""An IPv4 address and a port."""
PROBE = f"""
for tool in bash timeout; do command -v $tool >/dev/null || {{ echo "$tool is not installed there"; exit {LACKS}; }}; done
export LC_ALL=C
for target in "$@"; do
  (
    message=$(timeout {WITHIN:g} bash -c 'exec 3<>"/dev/tcp/${{0%:*}}/${{0##*:}}"' "$target" 2>&1)
    case $?,$message in
      0,*|*"Connection refused"*) ;;
      124,*) echo "$target no answer within {WITHIN:g} s" ;;
      *) echo "$target ${{message##*: }}" ;;
    esac
  ) &
done
wait
"""
"""A port where nothing listens refuses the connection: packets get there and back. Those that a firewall drops are not answered."""


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


def find_unreached(machine: Machine, targets: Iterable[Target]) -> dict[Target, str]:
    """Return the targets that packets from a machine do not reach, each with the reason. A closed port is reached.

    NotPossible when the machine lacks what asks for them: bash and coreutils' timeout.
    """
    asked = [f"{address}:{port}" for address, port in sorted(set(targets))]
    if not asked:
        return {}
    try:
        printed = machine.run(["sh", "-c", PROBE, "sh", *asked], within=60.0).stdout
    except CommandFailed as failed:
        if failed.status != LACKS:
            raise
        raise NotPossible(
            f"asking {machine.name} what it reaches failed: {failed.output.strip()}", where=machine.name, remedy="install it there"
        ) from failed
    rows = [line.partition(" ")[::2] for line in printed.splitlines()]
    return {(target.rpartition(":")[0], int(target.rpartition(":")[2])): why for target, why in rows}
