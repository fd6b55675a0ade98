"""Programs that the kernel killed for lack of memory: counted before and after, since a process that is killed says nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.errors import LabError, ProvisionError
from lab.limits import cgroup
from lab.limits.files import Reads
from lab.limits.memory import free_memory


@dataclass(frozen=True)
class Kills:
    """How many processes the kernel has killed for lack of memory; None where it does not tell."""

    in_group: int | None
    on_computer: int | None


def count_kills(computer: Reads) -> Kills:
    """Return the counts of our own cgroup and of the whole computer."""
    version, directories = cgroup.groups_of(computer, "memory") or (0, [""])
    name = "memory.events" if version == 2 else "memory.oom_control"
    in_group = cgroup.parse_table(computer.read(f"{directories[0]}/{name}")).get("oom_kill") if version else None
    return Kills(in_group, cgroup.parse_table(computer.read("/proc/vmstat")).get("oom_kill"))


def explain_kill(error: LabError, computer: Reads, before: Kills, killed: Sequence[str]) -> LabError:
    """Return the error that names lack of memory as the first cause, or the given one when nothing speaks for it.

    `killed`: the programs that an unrequested signal 9 ended. Where the kernel has no counter, one such program is proof enough.
    """
    now = count_kills(computer)
    in_group, on_computer = has_grown(before.in_group, now.in_group), has_grown(before.on_computer, now.on_computer)
    if in_group is False or (not in_group and (not killed or on_computer is False)):
        return error  # on a shared computer other users' processes are killed as well: that count alone proves nothing
    names = ", ".join(killed) or "a process of this lab"
    proven = in_group or on_computer
    what = f"out of memory: the kernel killed {names}" if proven else f"{names} got signal 9 from outside: most likely out of memory"
    free = free_memory(computer)
    return ProvisionError(
        what,
        where=free.why,
        detail=f"what failed next: {error}",
        remedy="raise the memory limit, free some memory, or take fewer members (--members N)",
    )


def has_grown(before: int | None, now: int | None) -> bool | None:
    """Return whether a count grew; None when it is not known."""
    return None if before is None or now is None else now > before
