"""Machines that tests of machines use: one of each kind that this computer can make, in a run of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployers.release import make_supply
from lab import ledger
from lab.computer import Computer
from lab.factories.containers import container_problems, machine_steps
from lab.factories.delete import delete_machines
from lab.factories.namespace.factory import make_machines, namespace_problems, program_name
from lab.factories.namespace.network import read_network
from lab.factories.vm.factory import make_machines as make_virtual_machines
from lab.factories.vm.problems import vm_problems
from lab.images.machine import SOFTWARE, build_machine_image
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.machines.owner import ProgramOwner
from lab.machines.record import MachineRecord, read_machines, record_machine
from lab.machines.registry import open_machine, open_owner
from lab.run import Run
from lab.steps import execute
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, until


@dataclass(frozen=True)
class MachineCase:
    """A machine, what owns its programs, and a directory there for the files of tests."""

    run: Run
    name: str
    machine: Machine
    owner: ProgramOwner
    folder: Path

    def inside(self, *argv: str) -> str:
        """Run a command in the namespaces of the machine without its ssh server; return what it printed."""
        return Local(self.run.path).run(["nsenter", "--target", str(self._init()), "--all", *argv]).stdout

    def wait_command(self, line: str) -> None:
        """Wait until a command with this line runs on the machine."""

        def look() -> None:
            if line not in self.inside("ps", "-eo", "args"):
                raise NotYet("it does not run")

        until(look, what=f"{line} runs on {self.name}", within=15.0)

    @contextmanager
    def silenced(self, how: str) -> Iterator[None]:
        """Drop all packets to and from the machine, or stop its ssh server without ending it, for the length of the body."""
        network, local = read_network(self.run), Local(self.run.path)
        assert network is not None
        port = f"p{read_machines(self.run)[self.name].address.rpartition('.')[2]}"
        if how == "server":
            self.inside("pkill", "-STOP", "sshd")
        else:
            local.run(["ip", "-n", network.switch, "link", "set", port, "down"])
        try:
            yield
        finally:
            if how == "server":
                self.inside("pkill", "-CONT", "sshd")
            else:
                local.run(["ip", "-n", network.switch, "link", "set", port, "up"])

    def _init(self) -> int:
        """Return the pid, on this computer, of the machine's process 1."""
        state = Supervisor(self.run.path).state(program_name(self.name))
        pid = state.pid
        assert pid is not None
        for _ in range(2):  # the program, the child that unshared, process 1
            pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        return pid


def require_namespaces() -> None:
    """Skip the test, as unknown, where machines of namespaces cannot be made."""
    if problems := namespace_problems(Computer()):
        pytest.skip(f"unknown: {problems[0]}")


def require_virtual_machines() -> None:
    """Skip the test, as unknown, where virtual machines cannot be made."""
    if problems := vm_problems(Computer()):
        pytest.skip(f"unknown: {problems[0]}")


@contextmanager
def open_run(path: Path) -> Iterator[Run]:
    """Yield a run of its own that holds no lab; everything of it is gone afterwards, or LeakError."""
    run = Run.create(path.name, {"lab": {"provider": "embedded"}}, root=path.parent)
    supervisor = Supervisor(run.path)
    try:
        with supervisor.hold("pytest machines"):
            yield run
    finally:
        delete_machines(run)
        supervisor.shutdown(within=1.0)
        delete_machines(run)
        run.remove()
        ledger.check_leftovers(run.path)


class MachineCases:
    """The machines of a module of tests, in one run: each is made when a test first asks for it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._made: dict[str, MachineCase] = {}

    def open(self, kind: str) -> MachineCase:
        """Return the machine of a kind; skip the test, as unknown, where it cannot be made."""
        if kind not in self._made:
            self._made.update(MAKERS[kind](self.run))
        return self._made[kind]


@contextmanager
def open_cases(path: Path) -> Iterator[MachineCases]:
    """Yield the machines of all kinds, in a run of its own."""
    with open_run(path) as run:
        yield MachineCases(run)


def open_local(run: Run) -> dict[str, MachineCase]:
    """Return this computer."""
    return {"local": MachineCase(run, "local", Local(run.path), Supervisor(run.path), run.path / "test files")}


def open_namespaces(run: Run) -> dict[str, MachineCase]:
    """Make machines of namespaces: one, one that is reached through it, and one that is there to be cut off."""
    require_namespaces()
    make_namespaces(run, ["gate", "inner", "lonely"])
    inner = read_machines(run)["inner"]
    record_machine(run, "jump", MachineRecord("ssh", inner.address, key=inner.key, known_hosts=inner.known_hosts, jump="gate"))
    return {kind: open_case(run, name) for kind, name in {"namespace": "gate", "jump": "jump", "lonely": "lonely"}.items()}


def open_container(run: Run) -> dict[str, MachineCase]:
    """Make a machine that is a container."""
    make_containers(run, ["box"])
    return {"container": open_case(run, "box")}


def open_virtual_machine(run: Run) -> dict[str, MachineCase]:
    """Make a virtual machine."""
    require_virtual_machines()
    execute(make_virtual_machines(run, ["guest"]), run)
    return {"vm": open_case(run, "guest")}


def open_case(run: Run, name: str) -> MachineCase:
    """Return a machine of the run as tests use it."""
    return MachineCase(run, name, open_machine(run, name), open_owner(run, name), Path("/var/lib/test files"))


MAKERS: Mapping[str, Callable[[Run], dict[str, MachineCase]]] = {
    "local": open_local,
    "namespace": open_namespaces,
    "jump": open_namespaces,
    "lonely": open_namespaces,
    "container": open_container,
    "vm": open_virtual_machine,
}


def make_containers(run: Run, names: list[str]) -> None:
    """Make machines that are containers; skip the test, as unknown, where there is no Docker."""
    if problems := container_problems(Computer()):
        pytest.skip(f"unknown: {problems[0].why}")
    software = {ref.name: path for ref, path in make_supply().resolve(SOFTWARE).items()}
    execute(machine_steps(run, names, image=lambda: build_machine_image(Local(run.path), software)), run)


def make_namespaces(run: Run, names: list[str]) -> None:
    """Make machines of namespaces, all at once."""
    execute(make_machines(run, names), run)
