"""A computer with the kernel's counts of programs killed for memory."""

from __future__ import annotations

from dataclasses import dataclass, field

V2 = {"/proc/self/cgroup": "0::/a", "/proc/self/mountinfo": "3 1 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"}


@dataclass
class Computer:
    files: dict[str, str] = field(default_factory=dict)

    def read(self, path: str) -> str | None:
        return self.files.get(path)


def of_v2(kills: int) -> Computer:
    events = f"low 0\nhigh 0\nmax 9\noom 3\noom_kill {kills}"
    return Computer({**V2, "/sys/fs/cgroup/a/cgroup.procs": "", "/sys/fs/cgroup/a/memory.events": events})
