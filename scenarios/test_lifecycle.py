"""A lab's life cycle by the command line: beside another lab, stopped and started again, and with a harness killed at any moment."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import CoreV1Api, V1ConfigMap, V1ObjectMeta

from deployers.karmada import Karmada
from lab import ledger
from lab.cluster import Cluster, Lab
from lab.run import Run, runs_root
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, until
from scenarios.kit.hostile_environment import HOSTILE

SMALL = Path(__file__).parent / "small.toml"
EVENTS = 60
"""Of the journal of bringing up such a lab, a few less than there are."""

MOMENTS = 2
"""At which the harness is killed in every run; `-m thorough` does the rest of twenty."""


class Harness:
    """Runs the command `lab` for one extra lab."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = runs_root() / name

    def argv(self, verb: str, *args: str) -> list[str]:
        return [sys.executable, "-m", "lab", verb, "--lab", self.name, *args]

    def run(self, verb: str, *args: str) -> str:
        """Run a command and return its output; assert status 0."""
        done = subprocess.run(self.argv(verb, *args), capture_output=True, text=True, timeout=300, check=False, env=environment())
        assert done.returncode == 0, f"lab {verb}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def up(self) -> Any:
        return json.loads(self.run("up", "--spec", str(SMALL), "--output", "json"))

    def ports(self) -> set[int]:
        """Return the ports that this lab's programs listen on."""
        status = Supervisor(self.path).status()
        assert status
        return {port for state in status.programs.values() for port in state.ports}


def environment() -> dict[str, str]:
    """Return the environment without this session's settings, and with variables that must not affect the lab."""
    kept = {"KARMADA_LAB_RUNS", "KARMADA_LAB_CACHE"}
    root = str(Path(__file__).parent.parent)
    own = {key: value for key, value in os.environ.items() if not key.startswith("KARMADA_LAB") or key in kept}
    return own | HOSTILE | {"PYTHONPATH": root}


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Yield a harness of a lab that is not up yet; always take the lab down afterwards."""
    harness = Harness(f"life-{secrets.token_hex(3)}")
    yield harness
    if harness.path.exists():
        harness.run("down")


@pytest.mark.thorough
@pytest.mark.breaks  # nothing of the lab, but two cores have enough with one lab that starts
def test_a_second_lab_lives_beside_and_keeps_its_objects(karmada: Karmada, harness: Harness) -> None:
    assert harness.up()["changed"]
    ours = Supervisor(karmada.run.path).status()
    assert ours
    assert harness.ports().isdisjoint({port for state in ours.programs.values() for port in state.ports})
    second = Karmada.open(Lab.open(Run.load(harness.name)))
    kept = V1ConfigMap(metadata=V1ObjectMeta(name="kept"))
    made: dict[str, Any] = {
        cluster.name: CoreV1Api(cluster.client()).create_namespaced_config_map("default", kept) for cluster in list_clusters(second)
    }

    harness.run("down", "--keep")
    assert ledger.list_leftovers(harness.path, kept=True) == []
    assert harness.up()["changed"]

    second = Karmada.open(Lab.open(Run.load(harness.name)))
    found: dict[str, Any] = {
        cluster.name: CoreV1Api(cluster.client()).read_namespaced_config_map("kept", "default") for cluster in list_clusters(second)
    }
    assert {name: item.metadata.uid for name, item in found.items()} == {name: item.metadata.uid for name, item in made.items()}
    assert not harness.up()["changed"], "what is up is left alone"

    harness.run("down")
    assert not harness.path.exists()
    assert ledger.list_leftovers(harness.path) == []
    after = Supervisor(karmada.run.path).status()
    assert after
    assert {name: state.pid for name, state in after.programs.items()} == {name: state.pid for name, state in ours.programs.items()}


def list_clusters(karmada: Karmada) -> tuple[Cluster, ...]:
    """Return all clusters of a small lab, Karmada among them."""
    return (karmada.cluster, *karmada.lab.clusters)


def check_killed_harness(harness: Harness, events: int, *, by: str) -> None:
    """Kill `lab up` by SIGKILL at a number of journal events; then `lab down`, or the lease and `lab gc`, must leave nothing."""
    with subprocess.Popen(
        harness.argv("up", "--spec", str(SMALL)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=environment(),
    ) as up:

        def check_due() -> None:
            if up.poll() is None and (seen := count_events(harness.path)) < events:
                raise NotYet(f"{seen} of {events} events")

        try:
            until(check_due, what="the moment to kill the harness", within=180.0, every=0.02)
        finally:
            up.kill()
    assert up.returncode == -signal.SIGKILL, "`lab up` ended before it could be killed"
    if by == "gc":

        def check_ended() -> None:
            if left := ledger.list_leftovers(harness.path, kept=True):
                raise NotYet(f"still there: {', '.join(left)}")

        until(check_ended, what="the supervisor's lease has ended the lab", within=40.0)
    harness.run(by)  # without a directory there is still the lock that it held
    assert ledger.list_leftovers(harness.path) == []
    assert sorted(path.name for path in harness.path.parent.glob(f"{harness.name}*")) == []


@pytest.mark.thorough
@pytest.mark.parametrize("after", [0.5, 1.0, 2.0, 4.0])
def test_down_ends_an_up_that_has_just_begun(harness: Harness, after: float) -> None:
    argv = harness.argv("up", "--spec", str(SMALL))
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) as up:
        until(lambda: check_locked(harness.path), what="lab up holds the lock", within=30.0, every=0.02)
        with pytest.raises(subprocess.TimeoutExpired):
            up.wait(after)
        harness.run("down")

    assert up.returncode == 128 + signal.SIGTERM
    assert sorted(path.name for path in harness.path.parent.glob(f"{harness.name}*")) == []


def check_locked(run: Path) -> None:
    """Return once the lock of a run directory is there; NotYet before."""
    if not Path(f"{run}.lock").exists():
        raise NotYet("no lock")


def count_events(run: Path) -> int:
    """Return the number of events in a run's journal, 0 without one."""
    try:
        return (run / "journal.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def choose_moments(count: int, seed: int) -> list[Any]:
    """Return random moments of `up` in journal events (two a step), each with the command that cleans up. Reproducible by `seed`."""
    chance = random.Random(seed)
    return [pytest.param(chance.randrange(EVENTS), ("down", "gc")[number % 2], id=str(number)) for number in range(count)]


@pytest.mark.breaks
@pytest.mark.parametrize(("events", "by"), choose_moments(MOMENTS, seed=3))
def test_a_harness_killed_at_any_moment_leaves_nothing(lab: Lab, harness: Harness, events: int, by: str) -> None:  # noqa: ARG001 (its turn)
    check_killed_harness(harness, events, by=by)


@pytest.mark.thorough
@pytest.mark.breaks
@pytest.mark.parametrize(("events", "by"), choose_moments(20, seed=20)[MOMENTS:])
def test_a_harness_killed_at_twenty_moments_leaves_nothing(lab: Lab, harness: Harness, events: int, by: str) -> None:  # noqa: ARG001 (its turn)
    check_killed_harness(harness, events, by=by)
