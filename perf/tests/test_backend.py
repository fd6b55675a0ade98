"""Backends of the fake nodes: kwok, which the lab starts by itself, or kubemark's hollow kubelets, one process each."""

from __future__ import annotations

from perf import backend


def test_what_a_node_takes() -> None:
    used = {"member2/hollow-0": (1.0, 40 << 20), "member2/hollow-1": (3.0, 60 << 20), "member2/etcd": (9.0, 9 << 20)}

    assert backend.compute_cost_per_node(used, "member2", 2) == {"processes": 2, "mib": 50.0, "cpu_seconds": 2.0}
    assert backend.compute_cost_per_node({"member2/kwok": (1.0, 1 << 20)}, "member2", 4) == {
        "processes": 1,
        "mib": 0.25,
        "cpu_seconds": 0.25,
    }
    assert backend.compute_cost_per_node({}, "member2", 4)["mib"] is None
