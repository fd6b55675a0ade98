"""A component of a machine has that machine's paths; its health is asked from here."""

from __future__ import annotations

from pathlib import Path

from lab.component import Component, Health
from lab.machines.placement import Placement, place_run
from lab.machines.scripted import Scripted
from lab.place_component import place_component
from lab.run import Run


def make_component(run: Run) -> Component:
    """Return a component with a path of the run wherever one can be."""
    key = f"{run.path}/x"
    flags = {"a": key, "b": [key, "plain"], "c": None}
    ready = (Health("https://10.0.0.5:1/readyz", run.path / "ca.crt"),)
    return Component("host/etcd", run.path / "etcd", flags, args=(key,), env={"E": key}, ready=ready)


def test_every_path_is_that_of_the_machine_but_for_health(tmp_path: Path) -> None:
    run = Run.create("a", {"lab": {}}, root=tmp_path)
    there = Placement(run, "m", Scripted(), Path("/t/runs/a"), Path("/t/cache"), "10.0.0.5")

    part = place_component(make_component(run), there)

    assert part.machine == "m"
    assert part.within > make_component(run).within
    assert part.argv == ("/t/runs/a/etcd", "/t/runs/a/x", "--a=/t/runs/a/x", "--b=/t/runs/a/x", "--b=plain")
    assert part.env == {"E": "/t/runs/a/x"}
    assert part.ready == make_component(run).ready


def test_a_component_of_this_computer_is_left_as_it_is(tmp_path: Path) -> None:
    run = Run.create("a", {"lab": {}}, root=tmp_path)

    assert place_component(make_component(run), place_run(run, "")) == make_component(run)
