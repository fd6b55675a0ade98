"""Programs that the kernel killed: the first line says so."""

from __future__ import annotations

import pytest

from lab.errors import NotReady, ProvisionError
from lab.limits.oom import Kills, count_kills, explain_kill
from lab.tests.oom_fakes import Computer, of_v2

RESET = ProvisionError("connection reset by peer")
V1 = {"/proc/self/cgroup": "4:memory:/a", "/proc/self/mountinfo": "3 1 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"}


def of_v1(kills: int) -> Computer:
    control = f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}"
    return Computer({**V1, "/sys/fs/cgroup/memory/a/cgroup.procs": "", "/sys/fs/cgroup/memory/a/memory.oom_control": control})


@pytest.mark.parametrize("make", [of_v1, of_v2])
def test_both_versions_count(make: object) -> None:
    assert callable(make)
    assert count_kills(make(4)) == Kills(4, None)


@pytest.mark.parametrize("killed", [["member1/kube-apiserver"], []])
def test_a_kill_in_our_group_is_the_first_cause(killed: list[str]) -> None:
    error = explain_kill(RESET, of_v2(1), Kills(0, None), killed)

    assert error.what.startswith("out of memory")
    assert all(name in error.what for name in killed)
    assert "connection reset by peer" in (error.detail or "")
    assert error.exit_code == 4


def test_an_error_without_a_kill_is_left_alone() -> None:
    late = NotReady("it serves", last="503", within=9, unchanged_for=9)

    assert explain_kill(late, of_v2(7), Kills(7, 7), []) is late
    assert explain_kill(RESET, of_v2(7), Kills(7, None), ["karmada/etcd"]) is RESET  # somebody's kill -9
    assert explain_kill(RESET, Computer({"/proc/vmstat": "oom_kill 7"}), Kills(None, 7), ["karmada/etcd"]) is RESET


def test_kills_of_others_on_a_shared_computer_prove_nothing() -> None:
    computer = Computer({"/proc/vmstat": "nr_free_pages 1\noom_kill 9"})

    assert explain_kill(RESET, computer, Kills(None, 7), []) is RESET
    assert explain_kill(RESET, computer, Kills(None, 7), ["karmada/etcd"]).what.startswith("out of memory")


def test_where_nothing_counts_signal_9_is_likely() -> None:
    error = explain_kill(RESET, Computer(), Kills(None, None), ["member1/etcd"])

    assert "member1/etcd" in error.what
    assert "most likely out of memory" in error.what
    assert explain_kill(RESET, Computer(), Kills(None, None), []) is RESET
