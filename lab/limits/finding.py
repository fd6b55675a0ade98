"""What a lab needs from a computer, and what a check found there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Share:
    """One term of a lab's memory: `count` things of `each` bytes. `programs` is how many processes one of them is."""

    what: str
    count: int
    each: int
    programs: int = 0

    @property
    def bytes(self) -> int:
        return self.count * self.each

    def __str__(self) -> str:
        size = f"{self.each / MIB:g} MiB"
        return f"{self.count} {self.what} × {size}" if self.count != 1 else f"{size} for {self.what}"


@dataclass(frozen=True)
class Needs:
    """What a lab takes, in figures its provider gives. The first share of memory is its clusters."""

    memory: tuple[Share, ...] = (Share("clusters", 3, 430 * MIB, 5), Share("Karmada, the supervisor and this command", 1, 700 * MIB, 7))
    in_engine: bool = False
    """Its nodes are containers of Docker: the limits of this process's cgroup do not hold for them, those of the engine do."""
    inotify: int = 60
    """Instances: a kube-apiserver and a kube-controller-manager take six or seven each, to see certificates change."""
    disk: int = GIB
    ports: int = 45
    missing: tuple[str, ...] = ()
    """Assets that are not in the cache."""
    total: int = 0
    build_minutes: float = 0.0
    build_bytes: int = 0
    download_bytes: int = 2 * GIB
    urls: tuple[str, ...] = ()
    """One file of each place that assets are downloaded from."""
    module: str = ""
    """One pinned Go module, as k8s.io/kubernetes@v1.35.4: whether the Go client can get modules is asked by it."""
    cache: Path = Path("/")
    runs: Path = Path("/")

    @property
    def programs(self) -> int:
        """How many processes of this computer the lab is."""
        return sum(share.count * share.programs for share in self.memory)

    @property
    def clusters(self) -> int:
        return self.memory[0].count

    @property
    def memory_bytes(self) -> int:
        return sum(share.bytes for share in self.memory)

    def members_that_fit(self, free: int) -> int:
        """Return how many members a lab may have in so much memory, all else as it is; the host cluster is none of them."""
        rest = self.memory_bytes - self.memory[0].bytes
        return max(0, int((free - rest) // self.memory[0].each) - 1)


@dataclass(frozen=True)
class Finding:
    """One thing this computer has or lacks. `found` is what was seen, `enables` what it is for, `remedy` what to do when it is missing."""

    name: str
    ok: bool
    found: str
    enables: str
    remedy: str = ""
    needed: bool = False

    @property
    def refusal(self) -> str:
        """The finding as the reason why a lab cannot be brought up."""
        return f"{self.name}: {self.found}: {self.remedy}" if self.remedy else f"{self.name}: {self.found}"
