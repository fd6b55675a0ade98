"""Limits of cgroups, read from trees of /proc and /sys as kernels and containers lay them out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.limits.cgroup import cpu_quota, groups_of, memory_levels, pids_levels, swap_free, usable_processors
from lab.limits.finding import GIB, MIB
from lab.limits.memory import free_memory
from lab.tests.cgroup_fakes import Tree

V1_NO_LIMIT = 9223372036854771712


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
