"""The choice of a subnet for the machines of a run: private, of 256 addresses, and free on this computer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from pathlib import Path

from lab import ports
from lab.errors import NotPossible
from lab.hints import command
from lab.machines.local import Local

Range = tuple[int, int]
"""The first and the last second number of addresses 10.N.x.y."""


def subnet_lock() -> Path:
    """Return the file to lock while a subnet is chosen and recorded: two runs must not choose the same one."""
    return ports.locate_reservations().parent / "machine-networks.lock"


def list_routes(local: Local, *, except_link: str = "") -> Iterator[IPv4Network]:
    """Yield the subnets that this computer has routes to, but for the default route and those by the interface `except_link`."""
    routes = json.loads(local.run(["ip", "-4", "-json", "route", "show", "table", "all"]).stdout or "[]")
    for route in routes:
        if route.get("dst", "default") != "default" and not (except_link and route.get("dev") == except_link):
            yield IPv4Network(route["dst"], strict=False)


def choose_subnet(run_id: str, taken: Iterable[IPv4Network], *, among: Range) -> str:
    """Return a free subnet of a range. NotPossible when all are taken."""
    used = list(taken)
    for subnet in list_candidates(run_id, among):
        if not overlaps(subnet, used):
            return str(subnet)
    raise NotPossible(
        f"making a network for the machines failed: every subnet of 10.{among[0]}.0.0 to 10.{among[1]}.255.255 is in use",
        remedy=f"{command('gc')}, or remove a route to one of them",
    )


def list_candidates(run_id: str, among: Range) -> Iterator[IPv4Network]:
    """Yield every subnet of a range, for another run in another order: two labs rarely want the same."""
    count = (among[1] - among[0] + 1) * 256
    first = int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:4], "big")
    for step in range(count):
        number = (first + step) % count
        yield IPv4Network(f"10.{among[0] + number // 256}.{number % 256}.0/24")


def overlaps(subnet: IPv4Network, others: Iterable[IPv4Network]) -> bool:
    """Return whether a subnet has addresses in common with one of the others. (A default route written as 0.0.0.0/1 counts for none.)"""
    return any(subnet.overlaps(other) for other in others if other.prefixlen > 4)
