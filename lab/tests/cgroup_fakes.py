"""A tree of control groups, as the kernel shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lab.limits.files import Files
from lab.limits.finding import GIB


@dataclass
class Tree:
    """A fake /proc and /sys below a root."""

    root: Path
    mountinfo: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    def put(self, path: str, text: str | int) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def group(self, directory: str, **files: str | int) -> None:
        self.put(f"{directory}/cgroup.procs", 1)
        for name, value in files.items():
            self.put(f"{directory}/{name.replace('__', '.')}", value)

    def mount(self, point: str, *, version: int = 2, root: str = "/", options: str = "rw") -> None:
        kind = "cgroup2" if version == 2 else "cgroup"
        escaped = [text.replace(" ", "\\040") for text in (root, point)]
        self.mountinfo.append(f"31 23 0:28 {escaped[0]} {escaped[1]} rw,nosuid shared:9 - {kind} {kind} {options}")

    def files(self, *, free: int = 64 * GIB) -> Files:
        self.put("/proc/self/mountinfo", "\n".join(self.mountinfo))
        self.put("/proc/self/cgroup", "\n".join(self.own))
        self.put("/proc/meminfo", f"MemTotal: 99999999 kB\nMemAvailable: {free // 1024} kB\nSwapFree: {8 * GIB // 1024} kB")
        return Files(self.root)
