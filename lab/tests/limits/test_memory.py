"""How much memory a lab may use."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.limits.cgroup import swap_free
from lab.limits.files import Files
from lab.limits.finding import GIB, MIB
from lab.limits.memory import free_memory
from lab.tests.cgroup_fakes import Tree

V1_NO_LIMIT = 9223372036854771712
NAMES = st.text(alphabet="ab.-_ é:", min_size=1, max_size=6).filter(lambda name: name not in {".", ".."})
LIMIT = st.one_of(st.none(), st.integers(0, 64 * GIB))
LEVELS = st.lists(st.tuples(NAMES, LIMIT, st.integers(0, 8 * GIB)), max_size=5)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


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


def test_version_1_tells_a_limit_above_what_is_mounted(tree: Tree) -> None:
    tree.mount("/sys/fs/cgroup/memory", version=1, root="/docker/abc", options="rw,memory")
    tree.own = ["4:memory:/docker/abc"]
    stat = f"hierarchical_memory_limit {GIB}\ntotal_inactive_file {50 * MIB}"
    tree.group("/sys/fs/cgroup/memory", memory__limit_in_bytes=V1_NO_LIMIT, memory__usage_in_bytes=150 * MIB, memory__stat=stat)

    assert free_memory(tree.files()).bytes == GIB - 100 * MIB


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
