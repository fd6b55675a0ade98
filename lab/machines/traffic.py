"""Traffic of a machine with its own kernel, made worse on purpose: delay and loss (netem), and addresses it cannot reach (nftables).

Machines reached by ssh or as virtual machines; a machine cut off from this computer would never be healed, so that is refused.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from contextlib import suppress

from lab.errors import CommandFailed, ProvisionError, UsageError
from lab.machines.machine import Machine

TABLE = "karmada_lab_partition"


def set_netem(machine: Machine, *, delay_ms: float = 0.0, loss_percent: float = 0.0) -> None:
    """Delay what a machine sends, and lose some of it; what was set before is replaced. UsageError for values that make no sense."""
    if delay_ms < 0 or not 0 <= loss_percent <= 100:
        raise UsageError(f"shaping traffic of {machine.name} failed: delay {delay_ms:g} ms, loss {loss_percent:g} % is not possible")
    args = ["delay", f"{delay_ms:g}ms", "loss", f"{loss_percent:g}%"]
    machine.run(["tc", "qdisc", "replace", "dev", find_interface(machine), "root", "netem", *args])


def clear_netem(machine: Machine) -> None:
    """Let a machine send undisturbed again; twice is fine."""
    with suppress(CommandFailed):  # nothing is set
        machine.run(["tc", "qdisc", "delete", "dev", find_interface(machine), "root"])


def cut_off(machine: Machine, addresses: Sequence[str], *, caller: str) -> None:
    """Drop all packets between a machine and these addresses; earlier cuts are replaced. `caller` is this computer's address.

    UsageError when one is not an IPv4 address, or is the caller's.
    """
    try:
        targets = sorted({str(ipaddress.IPv4Address(address)) for address in addresses})
    except ValueError as error:
        raise UsageError(f"cutting {machine.name} off failed: {error}") from error
    if caller in targets:
        raise UsageError(f"cutting {machine.name} off failed: {caller} is this computer, which could not heal it again")
    if not targets:
        raise UsageError(f"cutting {machine.name} off failed: no address is named")
    elements = ", ".join(targets)
    rules = (
        f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\n"  # as one transaction: there is no moment without rules
        f"table inet {TABLE} {{\n"
        f"  chain in {{ type filter hook input priority -300; ip saddr {{ {elements} }} drop; }}\n"
        f"  chain out {{ type filter hook output priority -300; ip daddr {{ {elements} }} drop; }}\n"
        f"  chain through {{ type filter hook forward priority -300; ip saddr {{ {elements} }} drop; ip daddr {{ {elements} }} drop; }}\n"
        "}\n"
    )
    machine.run(["nft", "-f", "-"], input=rules)


def heal(machine: Machine) -> None:
    """Let a machine reach everything again; twice is fine."""
    machine.run(["nft", "-f", "-"], input=f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\n")


def find_interface(machine: Machine) -> str:
    """Return the interface of a machine's default route. ProvisionError when it has none."""
    routes = json.loads(machine.run(["ip", "-4", "-json", "route", "show", "default"]).stdout or "[]")
    if not routes:
        raise ProvisionError(f"shaping traffic of {machine.name} failed: it has no default route", where=machine.name)
    return str(routes[0]["dev"])
