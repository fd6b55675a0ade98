"""What a lab costs, each measurement beside its baseline from the same run.

    lab bench [--rounds N] [--quick] [--out FILE]

Each round times one bare etcd and kube-apiserver to /readyz (as the embedded provider starts them; certificates exist already and
Python's start does not count), then the complete `lab up` from nothing to both members Ready: so each ratio is paired. It then times up
again, down --keep and up, a snapshot saved and restored, a fork of it, and down. After the rounds it times two labs started at once, and
2,000 hollow nodes. Each result is also checked: a lab with members that are not Ready ends the run.

Results go to standard output and, with the machine they were measured on, to a JSON file. Exit code 6 when a target is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from deployers.release import make_supply
from deployers.wanted import document, prepare
from lab import component, environment, ports
from lab.cluster import Lab
from lab.errors import ProvisionError
from lab.machines.placement import place_run
from lab.providers import embedded_cluster
from lab.run import Run
from lab.supervisor.client import Supervisor
from perf.figures import Measurement, compute_ratios
from perf.progress import say

NODES = 2000
SAMPLES = ("bare", "up", "memory", "again", "kept", "saved", "frozen", "restored", "forked", "down")
ROOT = Path("_runs").absolute()
SMALL = """
[[members]]
name = "member1"
nodes = [{{ count = {count} }}]
"""


def run_lab(*arguments: str) -> tuple[float, Any]:
    """Run a `lab` command; return its seconds and the JSON it printed. Raise ProvisionError when it fails."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "lab", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**environment.inherit_all(), "KARMADA_LAB_RUNS": str(ROOT)},
    )
    seconds = time.monotonic() - began
    if done.returncode:
        raise ProvisionError(f"lab {' '.join(arguments)} exited with {done.returncode}", detail=done.stderr[-3000:])
    return seconds, json.loads(done.stdout) if "json" in arguments else None


def time_bare_api_server(number: int) -> float:
    """Return the seconds from the start of one etcd to /readyz of one kube-apiserver, with nothing else running."""
    wanted = prepare(document(members=1))
    software = {str(ref): path for ref, path in make_supply().resolve(wanted.software()).items()}
    run = Run.create(f"bench-bare-{number}", wanted.asked, root=ROOT)
    supervisor = Supervisor(run.path)
    try:
        with supervisor.hold("bench"):
            here = Lab.open(run)
            spec, cluster = here.spec.host, here.host
            embedded_cluster.write_identity(place_run(run, ""), spec, cluster, software)
            etcd, apiserver, *_ = embedded_cluster.make_components(place_run(run, ""), spec, cluster, software)
            began = time.monotonic()
            component.start(etcd, run)
            component.start(apiserver, run)
            return time.monotonic() - began
    finally:
        supervisor.shutdown()
        ports.release(run.path)
        run.remove()


def measure_memory(name: str) -> float:
    """Return the resident memory (GiB) of every process of a lab, its supervisor included."""
    status = Supervisor(ROOT / name).status()
    if status is None:
        raise ProvisionError(f"lab {name} is not running")
    pids = [status.pid, *(state.pid for state in status.programs.values() if state.pid)]
    return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 2**30


def run_round(number: int, samples: dict[str, list[float]]) -> None:
    """Measure one default lab from up to down, and one bare API server."""
    name = f"bench-{number}"
    say(f"round {number}: one bare etcd and kube-apiserver")
    samples["bare"].append(time_bare_api_server(number))
    say(f"round {number}: lab up, from nothing")
    samples["up"].append(run_lab("up", "--lab", name)[0])
    samples["memory"].append(measure_memory(name))
    say(f"round {number}: up again, down --keep, up, down")
    samples["again"].append(run_lab("up", "--lab", name)[0])
    run_lab("down", "--lab", name, "--keep")
    samples["kept"].append(run_lab("up", "--lab", name)[0])
    time_snapshot(name, samples)
    samples["down"].append(run_lab("down", "--lab", name)[0])


def time_snapshot(name: str, samples: dict[str, list[float]]) -> None:
    """Save a snapshot of a lab, restore it in place, and fork it beside the lab; the snapshot and the fork are gone on return."""
    snapshot, fork = f"{name}-snapshot", f"{name}-fork"
    say("a snapshot: saved, restored, forked")
    try:
        seconds, saved = run_lab("snapshot", "save", snapshot, "--lab", name, "-o", "json")
        samples["saved"].append(seconds)
        samples["frozen"].append(saved["frozen"])
        samples["restored"].append(run_lab("snapshot", "restore", snapshot, "--lab", name)[0])
        samples["forked"].append(run_lab("fork", fork, "--from", snapshot)[0])
    finally:
        run_lab("down", "--lab", fork)
        run_lab("snapshot", "delete", snapshot)


def time_two_labs() -> list[float]:
    """Bring two labs up at once; return the seconds until both are up. Check both and take them down."""
    say("two labs side by side")
    commands = [[sys.executable, "-m", "lab", "up", "--lab", f"bench-side-{number}"] for number in (1, 2)]
    env = {**environment.inherit_all(), "KARMADA_LAB_RUNS": str(ROOT)}
    began = time.monotonic()
    running = [subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for argv in commands]
    statuses = [process.wait() for process in running]
    seconds = time.monotonic() - began
    for number in (1, 2):
        if statuses[number - 1] == 0:
            run_lab("status", "--lab", f"bench-side-{number}", "-o", "json")
        run_lab("down", "--lab", f"bench-side-{number}")
    if any(statuses):
        raise ProvisionError(f"two labs side by side ended with {statuses}")
    return [seconds]


def measure_hollow_nodes() -> list[float]:
    """Return nodes per second: 2,000 hollow nodes over the seconds of the step that starts them and waits for Ready."""
    say(f"{NODES} hollow nodes on one member")
    spec = ROOT / "bench-nodes.toml"
    spec.parent.mkdir(parents=True, exist_ok=True)
    try:
        spec.write_text(SMALL.format(count=NODES))
        run_lab("up", "--lab", "bench-nodes", "--spec", str(spec))
        run = Run.load("bench-nodes", root=ROOT)
        events = [event for event in run.events() if event.get("step") == "member1/nodes"]
        began, ended = events[0]["at"], events[-1]["at"]
        ready = len(Lab.open(run).member("member1").api.items("/api/v1/nodes"))
        if ready != NODES:
            raise ProvisionError(f"{ready} nodes instead of {NODES}")
        return [NODES / (ended - began)]
    finally:
        run_lab("down", "--lab", "bench-nodes")
        spec.unlink(missing_ok=True)


def attempt(measure: Callable[[], list[float]], notes: list[str]) -> tuple[float, ...]:
    """Return the measured values; on a failure return none and append the reason to `notes`."""
    try:
        return tuple(measure())
    except ProvisionError as error:
        notes.append(str(error))
        return ()


def measure(rounds: int, *, quick: bool) -> list[Measurement]:
    """Run all benchmarks and return the measurements."""
    samples: dict[str, list[float]] = {key: [] for key in SAMPLES}
    make_supply().resolve(prepare(document()).software())
    for number in range(1, rounds + 1):
        run_round(number, samples)
    notes: list[str] = []
    side = () if quick else attempt(time_two_labs, notes)
    nodes = () if quick else attempt(measure_hollow_nodes, notes)
    why = "; ".join(notes) or ("left out by --quick" if quick else "")
    return [
        Measurement("bare etcd + kube-apiserver to /readyz", "s", tuple(samples["bare"])),
        Measurement("lab up from nothing, members Ready", "s", tuple(samples["up"])),
        compute_ratios("  over the bare API server", samples["up"], samples["bare"], most=4.0),
        Measurement("resident memory of the lab", "GiB", tuple(samples["memory"]), most=2.5),
        Measurement("up of a lab that is up", "s", tuple(samples["again"]), most=1.0),
        Measurement("kept lab up again", "s", tuple(samples["kept"])),
        compute_ratios("  over from nothing", samples["kept"], samples["up"], most=0.5),
        Measurement("snapshot saved while it serves", "s", tuple(samples["saved"])),
        Measurement("  the lab is paused for", "s", tuple(samples["frozen"]), most=1.0),
        Measurement("snapshot restored in place", "s", tuple(samples["restored"])),
        compute_ratios("  over from nothing", samples["restored"], samples["up"], most=0.6),
        Measurement("snapshot forked beside the lab", "s", tuple(samples["forked"])),
        Measurement("down", "s", tuple(samples["down"]), most=3.0),
        Measurement("two labs side by side, both up", "s", side, note=why),
        Measurement(f"{NODES} hollow nodes Ready", "nodes/s", nodes, least=100.0, note=why),
    ]
