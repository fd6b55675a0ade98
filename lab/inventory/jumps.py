"""Jump hosts of an inventory: which host of it each is, and the hosts that a group is reached through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from lab.errors import UsageError
from lab.inventory.errors import make_error

Rows = Mapping[str, dict[str, Any]]


def find_host(jump: str, rows: Rows) -> str | None:
    """Return the host that a jump host is: by its name, or by its address with or without a user and a port."""
    plain = re.sub(r":[0-9]+$", "", jump.rpartition("@")[2])
    return next((host for host, row in rows.items() if host in {jump, plain}), None) or next(
        (host for host, row in rows.items() if row["address"] == plain), None
    )


def find_jump(host: str, rows: Rows, source: str) -> str | None:
    """Return the host that a host is reached through; None when it is reached directly.

    A chain (`-J a,b`) is a jump host of a jump host: UsageError unless the inventory says so of the last one, which has one way only.
    """
    hops = list_hops(rows[host])
    found = []
    for hop in hops:
        if (known := find_host(hop, rows)) is None:
            raise make_error(f"the jump host {hop!r} of {host} is not in the inventory", source, "add it as a host, by that name")
        found.append(known)
    for before, after in pairwise(found):
        own = list_hops(rows[after])
        if not own or find_host(own[-1], rows) != before:
            remedy = f"name {after} alone as the jump host of {host}, and {before} as that of {after}"
            raise make_error(f"{host} is reached through {' and '.join(hops)}, and {after} by itself is not reached so", source, remedy)
    return found[-1] if found else None


def list_hops(row: Mapping[str, Any]) -> list[str]:
    """Return the jump hosts that a row names, the one next to this computer first."""
    hops = [hop.strip() for hop in str(row.get("jump", "")).split(",")]
    return [] if hops in ([""], ["none"]) else hops


def add_jump_hosts(hosts: Iterable[str], rows: Rows, source: str) -> tuple[dict[str, str | None], list[UsageError]]:
    """Return these hosts and those that they are reached through, each with its jump host, and what is wrong with these."""
    found: dict[str, str | None] = {}
    errors = []
    waiting = list(hosts)
    while waiting:
        host = waiting.pop(0)
        if host in found:
            continue
        found[host] = None
        try:
            found[host] = find_jump(host, rows, source)
        except UsageError as error:
            errors.append(error)
        waiting += [jump] if (jump := found[host]) else []
    return found, errors
