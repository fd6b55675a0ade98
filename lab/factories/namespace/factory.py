"""The machines of namespaces of a run: the steps that make them, and their removal from the records alone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from lab.assets.cache import default_root
from lab.computer import Computer, Probe
from lab.errors import UsageError
from lab.factories.login import check_login, ensure_key, write_known_hosts
from lab.factories.namespace.network import delete_network, ensure_network, read_network
from lab.factories.namespace.seed import SSH_FOLDER, write_seed
from lab.machines.record import CACHE_FOLDER, ROOT_FOLDER, MachineRecord, forget_machine, read_machines, record_machine
from lab.machines.registry import ssh_host
from lab.machines.ssh.connection import disconnect
from lab.preflight import Problem, computer_problem
from lab.program import Program
from lab.run import Run, runs_root, write_json
from lab.steps import Step
from lab.supervisor.client import Supervisor

KIND = "namespace"
UP_WITHIN = 30.0
MOST = 200
"""Machines of one run: its subnet has 256 addresses."""
HIDDEN = ("/root", "/home", "/tmp", "/var/tmp", "/mnt", "/media", "/srv")  # noqa: S108 (names of a machine's directories)
EMPTIED = ("/var/lib/karmada-lab",)
SSHD = "/usr/sbin/sshd"


def namespace_problems(probe: Probe) -> list[Problem]:
    """Return what keeps this computer from making machines of namespaces."""
    problems = []
    if not probe.ask(["unshare", "--net", "--mount", "--pid", "--fork", "true"]).ok:
        problems.append("machines of namespaces need root: run this as root, in a container with CAP_SYS_ADMIN and CAP_NET_ADMIN")
    if find_sshd(probe) is None:
        problems.append("machines of namespaces need sshd: apt-get install openssh-server")
    if probe.which("ip") is None:
        problems.append("machines of namespaces need ip: apt-get install iproute2")
    return [computer_problem(f"machines: {problem}") for problem in problems]


def find_sshd(probe: Probe) -> str | None:
    """Return where sshd is, which an ordinary user has not in PATH."""
    return SSHD if probe.is_there(SSHD) else probe.which("sshd")


def make_machines(run: Run, names: Sequence[str]) -> list[Step]:
    """Return the steps that make machines of namespaces, one each, after the one of their network. Machines that run are left alone."""
    if len(names) > MOST:
        raise UsageError(f"making {len(names)} machines of namespaces failed: a lab has at most {MOST}")
    network = Step("machines/network", partial(prepare, run, tuple(names)))
    return [network, *(Step(program_name(name), partial(start_machine, run, name), (network.name,)) for name in names)]


def prepare(run: Run, names: Sequence[str]) -> None:
    """Make the network and the keys, and record the machines: each keeps the address that it has, and no two have the same."""
    network = ensure_network(run)
    known = {name: record for name, record in read_machines(run).items() if record.kind == KIND}
    used = {record.address for record in known.values()}
    free = (address for address in map(network.address, range(MOST)) if address not in used)
    pki = run.folder("pki", "machines")
    for name in names:
        if name not in known:
            known[name] = MachineRecord(KIND, next(free), key=str(pki / "id_ed25519"), known_hosts=str(pki / "known_hosts"))
            record_machine(run, name, known[name])
    ensure_key(pki / "id_ed25519")
    write_known_hosts(pki / "known_hosts", {record.address: ensure_key(pki / f"{name}_host_key") for name, record in known.items()})


def start_machine(run: Run, name: str) -> None:
    """Start a machine and return when it can be logged in to. One that runs is left alone; one that has died is started again.

    ComponentExited with the end of its log when it cannot be set up.
    """
    machines = {each: record for each, record in read_machines(run).items() if record.kind == KIND}
    folder = machine_folder(run, name)
    network = read_network(run)
    assert network is not None
    addresses = {each: record.address for each, record in machines.items()}
    pki = run.folder("pki", "machines")
    authorized = ensure_key(pki / "id_ed25519")
    write_seed(folder / "seed", name, host_key=pki / f"{name}_host_key", authorized=authorized, addresses=addresses)
    settings = {
        "name": name,
        "address": addresses[name],
        "prefix": network.prefix,
        "gateway": network.gateway,
        "switch": network.switch,
        "port": f"p{addresses[name].rpartition('.')[2]}",
        "sshd": find_sshd(Computer()) or SSHD,
        "sshd_config": f"/{SSH_FOLDER}/sshd_config",
        "hidden": list_hidden(run),
        "emptied": list(EMPTIED),
        "cache": str(default_root() / "assets"),
        "cache_there": f"{ROOT_FOLDER}/{CACHE_FOLDER}/assets",
    }
    write_json(folder / "machine.json", settings)
    supervisor = Supervisor(run.path)
    supervisor.start(make_program(run, name))
    login = partial(check_login, run, name)
    supervisor.ready(program_name(name), login, within=UP_WITHIN, what=f"machine {name} can be logged in to", every=0.1)


def delete_machines(run: Run, names: Sequence[str] | None = None) -> None:
    """End machines of a run, all of them if none is named, and remove their records; with the last one its network. Twice is fine."""
    machines = {name: record for name, record in read_machines(run).items() if record.kind == KIND}
    for name in machines if names is None else [name for name in names if name in machines]:
        disconnect(ssh_host(machines, name, run))
        with suppress(UsageError):
            Supervisor(run.path).stop(program_name(name), within=2.0)
        shutil.rmtree(machine_folder(run, name), ignore_errors=True)
        forget_machine(run, name)
    if not any(record.kind == KIND for record in read_machines(run).values()):
        delete_network(run)


def make_program(run: Run, name: str) -> Program:
    """Return the program that is a machine."""
    script = Path(__file__).with_name("init.py")
    argv = (sys.executable, "-I", "-S", str(script), str(machine_folder(run, name)))
    return Program(name=program_name(name), argv=argv, log=run.log(program_name(name)), cwd=run.path)


def program_name(name: str) -> str:
    """Return the name of the program that is a machine, and of the step that starts it."""
    return f"machines/{name}"


def machine_folder(run: Run, name: str) -> Path:
    """Return the directory of a machine on this computer: its settings, and what has changed on its root."""
    return run.folder("data", "machines", name)


def list_hidden(run: Run) -> list[str]:
    """Return the directories of this computer that a machine must not see: what it needs has to be brought there."""
    project = Path(__file__).parents[3]
    own = {str(path.resolve()) for path in (project, run.path.parent, runs_root(), default_root())}
    return [*HIDDEN, *sorted(path for path in own if not path.startswith(tuple(f"{each}/" for each in HIDDEN)))]
