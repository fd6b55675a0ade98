"""Free memory, as the tightest of the computer and of each cgroup, and the arithmetic as text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.limits import cgroup
from lab.limits.cgroup import Level
from lab.limits.files import Reads
from lab.limits.finding import GIB


@dataclass(frozen=True)
class FreeMemory:
    """How much memory can be used, and why it is so much. `limited`: by a cgroup; else by the computer."""

    bytes: int
    why: str
    limited: bool = False
    known: bool = True


def free_memory(computer: Reads, *, in_engine: bool = False) -> FreeMemory:
    """Return the memory that can still be used here. Swap is named, not counted: an etcd that swaps misses its deadlines.

    `in_engine`: by containers of this computer's engine. They are outside of our own group, but within the group that is the root of what
    we see: in a container with an engine of its own that is the container's.
    """
    table = dict(re.findall(r"^(\w+):\s+(\d+) kB", computer.read("/proc/meminfo") or "", re.MULTILINE))
    free = int(table.get("MemAvailable") or table.get("MemFree") or 0) * 1024
    levels = cgroup.memory_levels(computer)
    if in_engine:
        groups = cgroup.groups_of(computer, "memory")
        root = groups[1][-1] if groups else ""
        levels = [level for level in levels if level.path == root]
    if (computer.read("/proc/sys/vm/overcommit_memory") or "").strip() == "2" and {"CommitLimit", "Committed_AS"} <= table.keys():
        levels.append(Level("vm.overcommit_memory=2", int(table["CommitLimit"]) * 1024, int(table["Committed_AS"]) * 1024))
    tightest = min(levels, key=lambda level: level.free, default=None)
    swap = cgroup.swap_free(computer)
    more = f" ({swap / GIB:.1f} GiB of swap is not counted)" if swap > GIB / 20 else ""
    if tightest is None or free < tightest.free:
        return FreeMemory(free, f"{free / GIB:.1f} GiB of this computer is free{more}", known=bool(table))
    what = f"the memory limit of the cgroup {tightest.path}" if tightest.path.startswith("/") else f"CommitLimit ({tightest.path})"
    why = f"{what} is {tightest.limit / GIB:.1f} GiB, {tightest.used / GIB:.1f} GiB used → {tightest.free / GIB:.1f} GiB free{more}"
    return FreeMemory(tightest.free, why, limited=True)
