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

    def more_than(self, before: Kills) -> bool | None:
        """Were there more since? None when nothing tells."""
        pairs = [(self.in_group, before.in_group), (self.on_computer, before.on_computer)]
        known = [now > then for now, then in pairs if now is not None and then is not None]
        return any(known) if known else None


def count_kills(computer: Reads) -> Kills:
    """Return the counts of our own cgroup and of the whole computer."""
    version, directories = cgroup.groups_of(computer, "memory") or (0, [""])
    name = "memory.events" if version == 2 else "memory.oom_control"
    in_group = cgroup.table(computer.read(f"{directories[0]}/{name}")).get("oom_kill") if version else None
    return Kills(in_group, cgroup.table(computer.read("/proc/vmstat")).get("oom_kill"))


def explain_kill(error: LabError, computer: Reads, before: Kills, killed: Sequence[str]) -> LabError:
    """Return the error that names lack of memory as the first cause, or the given one when nothing speaks for it.

    `killed`: the programs that signal 9 ended and that nobody asked to end. Where the kernel does not count, such a program is enough.
    """
    more = count_kills(computer).more_than(before)
    if more is False or (more is None and not killed):
        return error
    names = ", ".join(killed) or "a process of this lab"
    cause = "out of memory" if more else "by signal 9, which this lab did not send: most likely out of memory"
    free = free_memory(computer)
    return ProvisionError(
        f"{names} was killed: {cause}" if more is None else f"{cause}: the kernel killed {names}",
        where=free.why,
        detail=f"what failed next: {error}",
        remedy="raise the memory limit, free some memory, or take fewer members (--members N)",
    )
