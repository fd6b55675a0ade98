"""What machines cost, each beside its baseline from the same round.

    lab bench machines [--rounds N] [--out FILE]

A round prepares one host and ten hosts (namespaces, each from nothing; see `perf.prepare_hosts`), restores one virtual machine from the
saved state until it answers ssh, and brings Karmada up by binary on this computer and on three hosts with an etcd of three. Image, saved
state and programs are in the caches, those of the three hosts too: they are kept, and a first lab on them is not measured.

What cannot be measured here is unknown, with the reason. Exit code 6 when a target is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deployers.release import make_supply
from lab import environment
from lab.computer import Computer
from lab.errors import LabError, NotPossible, ProvisionError
from lab.factories.namespace.factory import namespace_problems
from lab.factories.vm.domain import VmShape
from lab.factories.vm.factory import make_machines as make_virtual_machines
from lab.factories.vm.image import ensure_image
from lab.factories.vm.network import ensure_network
from lab.factories.vm.problems import vm_problems
from lab.factories.vm.saved_state import ensure_state
from lab.machines.record import MachineRecord, read_machines
from lab.preflight import Problem
from lab.run import Run
from lab.steps import execute
from lab.supervisor.client import Supervisor
from lab.take_down import take_down
from perf import bench
from perf.figures import Measurement, compute_ratios
from perf.prepare_hosts import prepare_hosts
from perf.progress import say

HOSTS = 10
THREE = ("machine1", "machine2", "machine3")
BROUGHT = "etcd@3.6.5"
ON_THIS_COMPUTER = "members = []\n"
"""The lab file of the baseline. Both have no members: those of this computer could not be reached from the hosts."""


@contextmanager
def temporary_run(name: str) -> Iterator[Run]:
    """Yield a run that holds no lab; it is taken down afterwards."""
    run = Run.create(name, {"lab": {"provider": "embedded"}}, root=bench.ROOT)
    try:
        yield run
    finally:
        take_down(run)


def require(problems: list[Problem]) -> None:
    """Raise NotPossible with the first problem, if there is one."""
    if problems:
        raise NotPossible(problems[0].why)


def time_hosts(count: int, file: Path) -> tuple[float, float]:
    """Return the seconds that preparing hosts takes, the start of the command included, and those of bringing a file to each."""
    require(namespace_problems(Computer()))
    with temporary_run(f"bench-hosts-{count}") as run:
        began = time.time()
        argv = [sys.executable, "-m", "perf.prepare_hosts", str(run.path), str(count), str(file)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment.inherit_all())
        if done.returncode:
            raise ProvisionError(f"preparing {count} hosts failed", detail=done.stderr[-3000:])
        answer = json.loads(done.stdout)
        return answer["prepared"] - began, answer["brought"]


def time_virtual_machine() -> float:
    """Return the seconds from the request for a virtual machine until it is logged in to. Its image and saved state are there."""
    require(vm_problems(Computer()))
    with temporary_run("bench-vm") as run:
        ensure_state(run, ensure_image(), VmShape(), ensure_network(run))
        began = time.monotonic()
        execute(make_virtual_machines(run, ["machine1"]), run)
        return time.monotonic() - began


def describe_hosts(hosts: dict[str, MachineRecord]) -> str:
    """Return the lab file of a Karmada on these hosts."""
    rows = [
        f'[[machines.hosts]]\nname = "{name}"\naddress = "{host.address}"\nkey = "{host.key}"\nknown_hosts = "{host.known_hosts}"\n'
        for name, host in hosts.items()
    ]
    names = ", ".join(f'"{name}"' for name in hosts)
    return "".join([ON_THIS_COMPUTER, '[machines]\nkind = "ssh"\n', *rows, f"[karmada.by_binary]\nmachines = [{names}]\n"])


def time_lab(name: str, document: str) -> float:
    """Bring a lab up and take it down; return the seconds of `lab up`."""
    spec = bench.ROOT / f"{name}.toml"
    spec.write_text(document)
    try:
        return bench.run_lab("up", "--lab", name, "--spec", str(spec))[0]
    finally:
        bench.run_lab("down", "--lab", name)
        spec.unlink()


def time_karmada(rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of Karmada on this computer, and on three hosts with an etcd of three, in turn. NotPossible without hosts."""
    require(namespace_problems(Computer()))
    here, there = [], []
    with temporary_run("bench-three") as run, Supervisor(run.path).hold("bench"):
        prepare_hosts(run, list(THREE))
        document = describe_hosts(read_machines(run))
        time_lab("bench-on-three", document)  # brings the programs
        for number in range(1, rounds + 1):
            say(f"round {number}: Karmada on this computer, then on three hosts")
            here.append(time_lab("bench-on-one", ON_THIS_COMPUTER))
            there.append(time_lab("bench-on-three", document))
    return here, there


def attempt(measure: Callable[[], None]) -> str:
    """Measure; return why it failed, "" when it did not."""
    try:
        measure()
    except LabError as error:
        return error.what
    return ""


def measure(rounds: int) -> list[Measurement]:
    """Run all benchmarks and return the measurements."""
    bench.ROOT.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, list[float]] = {key: [] for key in ("one", "ten", "file", "files", "vm", "here", "there")}

    def hosts() -> None:
        file = next(iter(make_supply().resolve([BROUGHT]).values()))
        for number in range(1, rounds + 1):
            say(f"round {number}: one host, then {HOSTS}")
            for count, prepared, brought in ((1, "one", "file"), (HOSTS, "ten", "files")):
                found = time_hosts(count, file)
                seconds[prepared].append(found[0])
                seconds[brought].append(found[1])

    def virtual_machines() -> None:
        for number in range(1, rounds + 1):
            say(f"round {number}: a virtual machine is restored")
            seconds["vm"].append(time_virtual_machine())

    def karmada() -> None:
        seconds["here"], seconds["there"] = time_karmada(rounds)

    of_hosts, of_vms, of_karmada = attempt(hosts), attempt(virtual_machines), attempt(karmada)
    return [
        Measurement("one host prepared", "s", tuple(seconds["one"]), note=of_hosts),
        Measurement(f"{HOSTS} hosts prepared", "s", tuple(seconds["ten"]), note=of_hosts),
        compute_ratios("  over one host", seconds["ten"], seconds["one"], most=1.5, note=of_hosts),
        Measurement("etcd brought to one host", "s", tuple(seconds["file"]), note=of_hosts),
        Measurement(f"etcd brought to {HOSTS} hosts", "s", tuple(seconds["files"]), note=of_hosts),
        Measurement("a restored VM answers ssh", "s", tuple(seconds["vm"]), most=10.0, note=of_vms),
        Measurement("Karmada on this computer", "s", tuple(seconds["here"]), note=of_karmada),
        Measurement("Karmada on three hosts, etcd of three", "s", tuple(seconds["there"]), note=of_karmada),
        compute_ratios("  over this computer", seconds["there"], seconds["here"], most=3.0, note=of_karmada),
    ]
