"""Limits of processes, threads and their resources: RLIMIT_*, kernel.pid_max and threads-max, pids.max of cgroups.

RLIMIT_NPROC counts the threads of a *user*, whatever started them. The kernel exempts the root of the first user namespace; root of a
container without privileges is not exempt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.limits import cgroup
from lab.limits.cgroup import Level
from lab.limits.files import Reads

CAP_SYS_ADMIN, CAP_SYS_RESOURCE = 21, 24
NAMES = {
    "open files": "Max open files",
    "processes": "Max processes",
    "address space": "Max address space",
    "data size": "Max data size",
    "file size": "Max file size",
    "cpu time": "Max cpu time",
    "locked memory": "Max locked memory",
}
"""Rows of /proc/self/limits."""


@dataclass(frozen=True)
class Limit:
    """A resource limit; None is unlimited."""

    soft: int | None
    hard: int | None

    def __str__(self) -> str:
        soft, hard = ("unlimited" if value is None else str(value) for value in (self.soft, self.hard))
        return soft if soft == hard else f"{soft} (at most {hard})"


def read_limits(computer: Reads) -> Mapping[str, Limit]:
    """Return the resource limits of this process by the names of NAMES; empty where they cannot be read."""
    text = computer.read("/proc/self/limits") or ""
    found = {}
    for name, row in NAMES.items():
        if match := re.search(rf"^{row}\s+(\S+)\s+(\S+)", text, re.MULTILINE):
            soft, hard = (None if value == "unlimited" else int(value) for value in match.groups())
            found[name] = Limit(soft, hard)
    return found


def exempt_from_nproc(computer: Reads) -> bool:
    """Is RLIMIT_NPROC not enforced? So it is for root, and who has CAP_SYS_RESOURCE or CAP_SYS_ADMIN, of the first user namespace."""
    status = computer.read("/proc/self/status") or ""
    first = re.fullmatch(r"\s*0\s+0\s+4294967295\s*", computer.read("/proc/self/uid_map") or "") is not None
    uid = re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE)
    capabilities = re.search(r"^CapEff:\s+([0-9a-f]+)", status, re.MULTILINE)
    bits = int(capabilities[1], 16) if capabilities else 0
    return first and (bool(uid and uid[1] == "0") or bool(bits >> CAP_SYS_RESOURCE & 1 or bits >> CAP_SYS_ADMIN & 1))


def thread_limits(computer: Reads, *, of_user: int, in_engine: bool = False) -> list[Level]:
    """Return everything that limits how many threads can be started, with how many there are. `of_user`: threads of this user."""
    everywhere = re.search(r"\d+/(\d+)", computer.read("/proc/loadavg") or "")
    running = int(everywhere[1]) if everywhere else 0
    found = [
        Level(f"kernel.{name.rpartition('/')[2]}", limit, running)
        for name in ("kernel/pid_max", "kernel/threads-max")
        if (limit := cgroup.parse_number(computer.read(f"/proc/sys/{name}"))) is not None
    ]
    if in_engine:
        return found
    found += [Level(f"pids.max of the cgroup {level.path}", level.limit, level.used) for level in cgroup.pids_levels(computer)]
    nproc = read_limits(computer).get("processes")
    if nproc is not None and nproc.hard is not None and not exempt_from_nproc(computer):
        found.append(Level("RLIMIT_NPROC (threads of this user)", nproc.hard, of_user))
    return found
