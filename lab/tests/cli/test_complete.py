"""Completion of names in a shell."""

from __future__ import annotations

from lab.cli import complete
from lab.tests.cli_fakes import World, world

__all__ = ["world"]


def test_completion_reads_run_directories(world: World) -> None:
    run = world.run("blue")
    for name in ("member1+etcd", "host+etcd"):
        (run.folder("processes") / f"{name}.json").write_text("{}")
    ctx = type("Context", (), {"params": {"lab": "blue"}})()

    assert list(complete.complete_labs("b")) == ["blue"]
    assert list(complete.complete_components(ctx, "mem")) == ["member1/etcd"]
    assert list(complete.complete_clusters(ctx, "")) == ["host", "karmada", "member1"]
    assert list(complete.complete_members(ctx, "")) == ["member1", "member2"]
    assert list(complete.complete_log_targets(ctx, "")) == ["host", "member1"]
