"""Ports: numbers that no other lab and no outgoing connection of this computer uses.

A port is taken from below the ephemeral range, so the kernel does not give it away between reservation and bind. It is
reserved across processes by a file, `ports/NUMBER` in the cache directory, that holds the path of the run directory; a
reservation lasts as long as that directory. Where a run begins to look derives from its id: two labs rarely meet, and
the same lab gets the same numbers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import proc
from lab.errors import NotPossible
from lab.hints import command
from lab.run import Run, write_private

LOWEST = 10_240
BELOW_NODE_PORTS = 30_000
"""kube-proxy opens NodePorts from here on, where kind or a VM runs on the same computer."""


def locate_reservations() -> Path:
    """Return where the reservations of this computer are."""
    from lab.assets.cache import default_root  # noqa: PLC0415 (0.12 s of CPU, of 0.5 s that `lab status` takes)

    return default_root() / "ports"


def list_candidates(ephemeral: tuple[int, int]) -> range:
    """Return the ports a lab may use, given the kernel's ephemeral range: the larger free side of it."""
    below = range(LOWEST, min(ephemeral[0], BELOW_NODE_PORTS))
    above = range(max(ephemeral[1] + 1, LOWEST), 65_536)
    return max(below, above, key=len) or range(LOWEST, BELOW_NODE_PORTS)


def read_ephemeral_range() -> tuple[int, int]:
    """Return the range the kernel takes local ports from."""
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    except (OSError, ValueError):
        return 32_768, 60_999
    return int(low), int(high)


def is_free(port: int) -> bool:
    """Return whether a program could listen on this port now, on any address."""
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections in TIME_WAIT do not prevent a listener
        try:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            probe.bind(("", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def reserve(
    run: Path, count: int, *, where: Path | None = None, span: range | None = None, free: Callable[[int], bool] = is_free
) -> list[int]:
    """Reserve `count` ports for a run directory and return them. NotPossible when there are not so many, or none can be recorded."""
    where, span = where or locate_reservations(), span or list_candidates(read_ephemeral_range())
    start = int.from_bytes(hashlib.sha256(run.name.encode()).digest()[:4], "big") % len(span)
    ports: list[int] = []
    holder = Path(os.path.realpath(run))
    with lock_reservations(where):
        for offset in range(len(span)):
            if len(ports) == count:
                return ports
            port = span[(start + offset) % len(span)]
            if find_owner(where / str(port)) is None and free(port):
                write_private(where / str(port), f"{holder}\n".encode(), mode=0o644)
                ports.append(port)
        if len(ports) == count:
            return ports
        for port in ports:
            (where / str(port)).unlink(missing_ok=True)
    raise NotPossible(
        f"reserving {count} ports failed: too few are free between {span.start} and {span.stop - 1}",
        where=str(where),
        remedy=f"{command('gc')}   (releases the ports of deleted labs)",
    )


def release(run: Path, *, where: Path | None = None) -> list[int]:
    """Release all ports of a run directory, and return them. No program of the run may be running."""
    where = where or locate_reservations()
    freed = []
    with lock_reservations(where):
        for port, holder in reserved_ports(where):
            if holder == Path(os.path.realpath(run)):
                (where / str(port)).unlink(missing_ok=True)
                freed.append(port)
    return freed


def reserved_ports(where: Path | None = None) -> list[tuple[int, Path]]:
    """Return each reserved port and the run directory, there or gone, that it is reserved for."""
    where = where or locate_reservations()
    if not where.is_dir():
        return []
    found = []
    for path in sorted(path for path in where.iterdir() if path.name.isdigit()):
        try:
            found.append((int(path.name), Path(path.read_text().rstrip("\n"))))
        except OSError:  # released meanwhile
            continue
    return found


def find_owner(reservation: Path) -> Path | None:
    """Return the run directory a port is reserved for; None when there is no reservation or its run is gone."""
    try:
        run = Path(reservation.read_text().rstrip("\n"))
    except OSError:
        return None
    return run if run.is_absolute() and run.is_dir() else None


@contextmanager
def lock_reservations(where: Path) -> Iterator[None]:
    """Hold the lock of all reservations of this computer: for some milliseconds, never while something is started."""
    try:
        where.mkdir(parents=True, exist_ok=True)
        lock = os.open(where / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise NotPossible(
            f"reserving ports failed: {error.strerror}", where=str(where), remedy="make it writable, or set KARMADA_LAB_CACHE"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


# -- ports of a run ------------------------------------------------------------------------------------------------------


def ports_of(run: Run, name: str, uses: Sequence[str], *, where: Path | None = None) -> dict[str, int]:
    """Return the ports of a cluster or control plane by use, the same each time; those not there yet are reserved and recorded."""
    known: dict[str, int] = run.recorded("ports", name) or {}
    if missing := [use for use in uses if use not in known]:
        known |= zip(missing, reserve(run.path, len(missing), where=where), strict=True)
        run.record("ports", name, known)
    return {use: known[use] for use in uses}


def replace_taken_ports(run: Run, *, where: Path | None = None) -> list[int]:
    """Give the run another port for each of its own on which a stranger listens now; return the ports given up.

    For the beginning of `up`, before components are computed. Ports on which a process of this run listens stay.
    """
    given_up: list[int] = []
    for name, known in run.records("ports").items():
        taken = [use for use, port in known.items() if not is_free(port) and not is_own_port(run.path, port)]
        if taken:
            given_up += [known[use] for use in taken]
            fresh = reserve(run.path, len(taken), where=where)  # before the old ones are forgotten: so it cannot be the same
            run.record("ports", name, {**known, **dict(zip(taken, fresh, strict=True))})
            with lock_reservations(where or locate_reservations()):
                for use in taken:
                    ((where or locate_reservations()) / str(known[use])).unlink(missing_ok=True)
    return given_up


# -- listeners ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listener:
    """A process that listens on a port. `run` is the run directory it belongs to; None: a stranger."""

    port: int
    pid: int
    name: str
    run: str | None

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid}{f', of {self.run}' if self.run else ''})"


def list_listeners() -> list[Listener]:
    """Return the listeners on the TCP ports of this computer that this user may see. Takes some 30 ms."""
    import psutil  # noqa: PLC0415 (30 ms, and only needed when something is wrong)

    found = {
        (connection.laddr.port, connection.pid)
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.pid is not None
    }
    return [Listener(port, pid, proc.read_name(pid), proc.read_tag(pid)) for port, pid in sorted(found)]


def find_listener(port: int, *, other_than: int | None = None) -> Listener | None:
    """Return the listener of a port, except the process `other_than`; None when there is no listener, or none that this user may see."""
    return next((listener for listener in list_listeners() if listener.port == port and listener.pid != other_than), None)


def is_own_port(run: Path, port: int) -> bool:
    """Return whether a process of this run listens on the port."""
    return any(listener.port == port and listener.run == os.path.realpath(run) for listener in list_listeners())
