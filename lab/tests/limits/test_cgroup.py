"""Limits of cgroups, read from trees of /proc and /sys as kernels and containers lay them out."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.limits.cgroup import cpu_quota, groups_of, memory_levels, pids_levels, swap_free, usable_processors
from lab.limits.files import Files
from lab.limits.finding import GIB, MIB
from lab.limits.memory import free_memory

V1_NO_LIMIT = 9223372036854771712


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


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_version_2_takes_the_tightest_ancestor_and_leaves_out_cached_files(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup")
    tree.own = ["0::/user.slice/job.scope"]
    stat = f"anon 1\nactive_file {200 * MIB}\ninactive_file {100 * MIB}"
    tree.group("/sys/fs/cgroup/user.slice/job.scope", memory__max="max", memory__current=10)
    tree.group("/sys/fs/cgroup/user.slice", memory__max=GIB, memory__current=700 * MIB, memory__stat=stat)
    tree.group("/sys/fs/cgroup")

    (level,) = memory_levels(tree.files())
    assert (level.limit, level.used) == (GIB, 400 * MIB)
    free = free_memory(tree.files())
    assert free.limited
    assert free.bytes == 624 * MIB
    assert "1.0 GiB, 0.4 GiB used → 0.6 GiB free" in free.why


def test_memory_high_limits_as_well(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup")
    tree.own = ["0::/a"]
    tree.group("/sys/fs/cgroup/a", memory__max=4 * GIB, memory__high=GIB, memory__current=0)

    assert free_memory(tree.files()).bytes == GIB


def test_the_computer_may_be_tighter_than_the_group(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup")
    tree.own = ["0::/a"]
    tree.group("/sys/fs/cgroup/a", memory__max=8 * GIB, memory__current=0)

    free = free_memory(tree.files(free=GIB))
    assert not free.limited
    assert free.bytes == GIB


def test_version_1_with_its_word_for_no_limit(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup/memory", version=1, options="rw,memory")
    tree.own = ["4:memory:/box/one", "0::/"]
    for path, limit in (("/box/one", V1_NO_LIMIT), ("/box", 2 * GIB), ("", V1_NO_LIMIT)):
        tree.group(f"/sys/fs/cgroup/memory{path}", memory__limit_in_bytes=limit, memory__usage_in_bytes=0)

    (level,) = memory_levels(tree.files())
    assert level.path == "/sys/fs/cgroup/memory/box"
    assert free_memory(tree.files()).bytes == 2 * GIB


def test_version_1_without_hierarchy_leaves_the_ancestors_out(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup/memory", version=1, options="rw,memory")
    tree.own = ["4:memory:/box/one"]
    tree.group("/sys/fs/cgroup/memory/box/one", memory__use_hierarchy=0, memory__limit_in_bytes=V1_NO_LIMIT)
    tree.group("/sys/fs/cgroup/memory/box", memory__limit_in_bytes=MIB)

    assert memory_levels(tree.files()) == []


def test_version_1_tells_a_limit_above_what_is_mounted(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup/memory", version=1, root="/docker/abc", options="rw,memory")
    tree.own = ["4:memory:/docker/abc"]
    stat = f"hierarchical_memory_limit {GIB}\ntotal_inactive_file {50 * MIB}"
    tree.group("/sys/fs/cgroup/memory", memory__limit_in_bytes=V1_NO_LIMIT, memory__usage_in_bytes=150 * MIB, memory__stat=stat)

    assert free_memory(tree.files()).bytes == GIB - 100 * MIB


def test_hybrid_memory_is_where_its_controller_is(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup/unified", options="rw,nsdelegate")
    tree.mount("/sys/fs/cgroup/memory", version=1, options="rw,memory")
    tree.own = ["4:memory:/box", "0::/box"]
    tree.group("/sys/fs/cgroup/memory/box", memory__limit_in_bytes=GIB)
    tree.group("/sys/fs/cgroup/unified/box", memory__max=MIB)

    assert groups_of(tree.files(), "memory") == (1, ["/sys/fs/cgroup/memory/box", "/sys/fs/cgroup/memory"])
    assert free_memory(tree.files()).bytes == GIB


def test_without_a_mount_nothing_is_seen_and_nothing_is_claimed(tree: Tree) -> None:
    tree.own = ["4:memory:/box", "0::/box"]

    assert memory_levels(tree.files()) == []
    assert pids_levels(tree.files()) == []
    assert cpu_quota(tree.files()) is None


@pytest.mark.parametrize("own", ["0::/../other", "0::/kubepods/pod1/ctr", "0::/"])
def test_a_path_of_another_namespace_uses_the_mounts_root(tree: Tree, own: str) -> None:
    tree.mount("/sys/fs/cgroup", root="/" if ".." not in own else "/..")
    tree.own = [own]
    tree.group("/sys/fs/cgroup", memory__max=GIB, memory__current=0, pids__max=100, pids__current=40)

    assert free_memory(tree.files()).bytes == GIB
    assert [level.free for level in pids_levels(tree.files())] == [60]


def test_containers_of_an_engine_are_bound_by_the_root_only(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup")
    tree.own = ["0::/init"]
    tree.group("/sys/fs/cgroup/init", memory__max=MIB, memory__current=0)
    tree.group("/sys/fs/cgroup", memory__max=4 * GIB, memory__current=0)

    assert free_memory(tree.files(), in_engine=True).bytes == 4 * GIB
    assert free_memory(tree.files()).bytes == MIB


def test_strict_overcommit_limits_what_may_be_promised(tree: Tree) -> None:
    tree.files()
    tree.put("/proc/sys/vm/overcommit_memory", 2)
    tree.put("/proc/meminfo", f"MemAvailable: {8 * 2**20} kB\nCommitLimit: {4 * 2**20} kB\nCommitted_AS: {3 * 2**20} kB")
    assert free_memory(Files(tree.root)).bytes == GIB

    tree.put("/proc/sys/vm/overcommit_memory", 0)
    assert free_memory(Files(tree.root)).bytes == 8 * GIB


def test_swap_is_named_and_not_counted(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup")
    tree.own = ["0::/a"]
    tree.group("/sys/fs/cgroup/a", memory__max=GIB, memory__current=0, memory__swap__max=2 * GIB, memory__swap__current=GIB)

    assert swap_free(tree.files()) == GIB
    assert free_memory(tree.files()).bytes == GIB
    assert "1.0 GiB of swap" in free_memory(tree.files()).why


def test_swap_of_version_1_is_what_its_limit_leaves_beyond_memory(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup/memory", version=1, options="rw,memory")
    tree.own = ["4:memory:/a"]
    tree.group("/sys/fs/cgroup/memory/a", memory__limit_in_bytes=GIB, memory__memsw__limit_in_bytes=3 * GIB)

    assert swap_free(tree.files()) == 2 * GIB


@pytest.mark.parametrize(
    ("cpus", "limit", "usable"),
    [("0-7", "max 100000", 8), ("0-7", "150000 100000", 2), ("0,2-3", "800000 100000", 3), ("5", "10000 100000", 1), ("0-1,8-9", None, 4)],
)
def test_processors_are_those_of_the_cpuset_within_the_quota(tree: Tree, cpus: str, limit: str | None, usable: int) -> None:
    tree.mount("/sys/fs/cgroup")
    tree.own = ["0::/a/b"]
    tree.put("/proc/self/status", f"Name:\tx\nCpus_allowed_list:\t{cpus}")
    tree.group("/sys/fs/cgroup/a/b", cpu__max="max 100000")
    tree.group("/sys/fs/cgroup/a", **({"cpu__max": limit} if limit else {}))

    assert usable_processors(tree.files()) == usable


def test_the_quota_of_version_1_beside_other_controllers(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup/cpu,cpuacct", version=1, options="rw,cpu,cpuacct")
    tree.own = ["2:cpu,cpuacct:/a"]
    tree.put("/proc/self/status", "Cpus_allowed_list:\t0-15")
    tree.group("/sys/fs/cgroup/cpu,cpuacct/a", cpu__cfs_quota_us=200_000, cpu__cfs_period_us=100_000)
    tree.group("/sys/fs/cgroup/cpu,cpuacct", cpu__cfs_quota_us=-1, cpu__cfs_period_us=100_000)

    assert usable_processors(tree.files()) == 2


NAMES = st.text(alphabet="ab.-_ é:", min_size=1, max_size=6).filter(lambda name: name not in {".", ".."})
LIMIT = st.one_of(st.none(), st.integers(0, 64 * GIB))
LEVELS = st.lists(st.tuples(NAMES, LIMIT, st.integers(0, 8 * GIB)), max_size=5)


@settings(max_examples=60, deadline=None)
@given(levels=LEVELS, at_root=LIMIT, shown=st.integers(0, 5), version=st.sampled_from([1, 2]), namespaced=st.booleans())
def test_every_visible_ancestor_counts(
    levels: list[tuple[str, int | None, int]], at_root: int | None, shown: int, version: int, namespaced: bool
) -> None:
    """Whatever part of the tree is mounted, free is the least over the groups that can be seen."""
    hidden = min(shown, len(levels))
    above, below = levels[:hidden], levels[hidden:]
    prefix, rest = ("".join(f"/{name}" for name, _, _ in part) for part in (above, below))
    point = "/sys/fs/cgroup" if version == 2 else "/sys/fs/cgroup/memory"
    with tempfile.TemporaryDirectory() as root:
        tree = Tree(Path(root))
        # With a cgroup namespace both the path and the mount's root are relative to it; without one both are whole.
        tree.mount(point, version=version, root="/" if namespaced else prefix or "/", options="rw,memory" if version == 1 else "rw")
        own = (rest if namespaced else prefix + rest) or "/"
        tree.own = [f"4:memory:{own}" if version == 1 else f"0::{own}"]
        groups = [("", at_root, 0)] + [
            ("".join(f"/{name}" for name, _, _ in below[: depth + 1]), limit, used) for depth, (_, limit, used) in enumerate(below)
        ]
        for path, limit, used in groups:
            if version == 2:
                tree.group(point + path, memory__max="max" if limit is None else limit, memory__current=used)
            else:
                tree.group(point + path, memory__limit_in_bytes=V1_NO_LIMIT if limit is None else limit, memory__usage_in_bytes=used)

        expected = min([max(0, limit - used) for _, limit, used in groups if limit is not None] + [64 * GIB])
        assert free_memory(tree.files()).bytes == expected


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=200))
def test_nonsense_in_proc_never_raises(text: str) -> None:
    class Nonsense:
        def read(self, path: str) -> str | None:
            return text

    computer = Nonsense()
    assert free_memory(computer).bytes >= 0
    assert usable_processors(computer) >= 1
    assert isinstance(pids_levels(computer), list)
    assert swap_free(computer) >= 0
