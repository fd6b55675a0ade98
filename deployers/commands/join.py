"""`lab join`: join clusters of the lab to its Karmada as members."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from deployers.addons.change import install_on_new_member
from deployers.karmada import Karmada
from deployers.members.added import add_member
from deployers.members.agent import AGENT_MACHINES
from deployers.members.registry import list_members as registered
from deployers.up.join_steps import join_member
from lab.cli import complete
from lab.cli.options import DEFAULT_LAB, LabName, option, take_options
from lab.cluster import Lab
from lab.errors import UsageError
from lab.existing.fetch import fetch_kubeconfig
from lab.hints import command
from lab.limits.account import expand_home, user_name
from lab.machines.record import MachineRecord, read_machines, record_machine
from lab.machines.ssh.host import SshHost
from lab.machines.ssh.machine import SshMachine
from lab.rules.syntax import address_error, port_error
from lab.run import Run
from lab.steps import Step, execute
from lab.terminal.text import say, seconds_text

Names = Annotated[
    list[str], typer.Argument(metavar="MEMBER…", help="Member clusters of this lab.", autocompletion=complete.complete_members)
]


class JoinMode(str, Enum):
    """How a member is joined."""

    push = "push"
    pull = "pull"


ModeOption = Annotated[
    JoinMode | None,
    option(
        "--mode",
        help="push: Karmada connects to the member; pull: an agent of the member connects to Karmada. Default: as in the lab file.",
    ),
]


KubeconfigOption = Annotated[
    Path | None, option("--kubeconfig", help="Add a cluster that exists to the lab, by this kubeconfig, and join it under the name given.")
]
ContextOption = Annotated[str, option("--context", help="Of that kubeconfig. Default: its current context.", metavar="NAME")]
SshOption = Annotated[
    str,
    option("--ssh", help="As --kubeconfig, with the one that a host of the cluster has.", metavar="[USER@]HOST[:PORT]"),
]
KeyOption = Annotated[str, option("--key", help="The private key for --ssh. Default: the agent's, and those in ~/.ssh.", metavar="FILE")]
KnownHostsOption = Annotated[str, option("--known-hosts", help="The file that has the host's key. Default: ssh's own.", metavar="FILE")]
SudoOption = Annotated[bool, option("--sudo", help="Read the kubeconfig there as root, by sudo without a password.")]


@dataclass(frozen=True, kw_only=True)
class JoinRequest:
    """The arguments and options of `lab join`."""

    members: Names
    lab: LabName = DEFAULT_LAB
    mode: ModeOption = None
    kubeconfig: KubeconfigOption = None
    context: ContextOption = ""
    ssh: SshOption = ""
    key: KeyOption = ""
    known_hosts: KnownHostsOption = ""
    sudo: SudoOption = False


@take_options(JoinRequest)
def join(asked: JoinRequest) -> None:
    """Join members to the lab's Karmada.

    All at once; returns when all are Ready and have the installed addons. A member that is joined already is left alone.

    With --kubeconfig or --ssh a cluster that the lab does not have yet is added to it; `lab unjoin` and `lab down` leave it as it was.
    """
    run, members, mode = Run.load(asked.lab), asked.members, asked.mode
    require_effect(asked)
    if asked.kubeconfig or asked.ssh:
        run = add(run, asked)
    handle = Lab.open(run)
    karmada = Karmada.open(handle)
    clusters = [handle.member(name) for name in dict.fromkeys(members)]
    declared = {member.name: member.mode for member in handle.spec.members}
    modes = {cluster.name: mode_of(cluster.name, declared[cluster.name], mode, lab=asked.lab) for cluster in clusters}
    known = registered(karmada)
    before = [name for name, chosen in modes.items() if name in known and known[name].mode == chosen.value and not known[name].leaving]
    began = time.monotonic()
    steps = [Step(f"{cluster.name}/join", partial(join_member, karmada, cluster, modes[cluster.name].value)) for cluster in clusters]
    steps += [
        Step(f"{cluster.name}/addons", partial(install_on_new_member, karmada, cluster), (f"{cluster.name}/join",)) for cluster in clusters
    ]
    execute(steps, run)
    for line in outcome({name: chosen.value for name, chosen in modes.items()}, before, time.monotonic() - began):
        say(line)


def require_effect(asked: JoinRequest) -> None:
    """Return if every option takes effect. UsageError names an option that needs another, missing one."""
    if asked.context and not (asked.kubeconfig or asked.ssh):
        raise UsageError("--context has no effect without --kubeconfig", remedy="give both, or leave it out")
    of_ssh = {"--key": asked.key, "--known-hosts": asked.known_hosts, "--sudo": asked.sudo}
    if not asked.ssh and (idle := [name for name, given in of_ssh.items() if given]):
        raise UsageError(f"{', '.join(idle)} without effect: for --ssh only", remedy="give --ssh, or leave it out")


def add(run: Run, asked: JoinRequest) -> Run:
    """Take the cluster that exists into the lab; return the run that has it. UsageError for options that contradict each other."""
    if len(asked.members) != 1:
        raise UsageError("a kubeconfig adds one member", where=" ".join(asked.members), remedy="run the command once for each")
    if asked.kubeconfig and asked.ssh:
        raise UsageError("--kubeconfig and --ssh exclude each other", remedy="give one of them")
    (name,) = asked.members
    host = read_ssh_host(name, asked.ssh, key=asked.key, known_hosts=asked.known_hosts, sudo=asked.sudo) if asked.ssh else None
    lock = run.lock()
    try:
        file = fetch(run, name, host) if host else expand_home(asked.kubeconfig or Path()).absolute()
        karmada = Karmada.open(Lab.open(Run.load(run.id)))
        mode = asked.mode or JoinMode.push
        if host and mode is JoinMode.pull and karmada.spec.by_binary.machines:
            record_agent_machine(run, name, host)
        now = add_member(karmada, name, kubeconfig=str(file), context=asked.context, mode=mode.value)
    finally:
        lock.release()
    return now.run


def fetch(run: Run, name: str, host: SshHost) -> Path:
    """Fetch the kubeconfig of a cluster from a host of it into the run directory; return its path."""
    file = run.path / "kubeconfig" / "fetched" / f"{name}.yaml"
    fetch_kubeconfig(SshMachine(host, run.id), host.address, file, name=name)
    return file


def record_agent_machine(run: Run, member: str, host: SshHost) -> None:
    """Record a host of a member as the machine that the member's agent is to run on: one that the run knows by another name is that one."""
    login = MachineRecord("ssh", host.address, host.port, host.user, host.key, host.known_hosts, sudo=host.sudo)
    where = (login.address, login.port, login.user)
    alike = (each for each, known in read_machines(run).items() if (known.address, known.port, known.user) == where)
    machine = next(alike, "")
    if not machine:
        machine = f"{member}-host"
        record_machine(run, machine, login)
    run.record(AGENT_MACHINES, member, {"machine": machine})


def read_ssh_host(name: str, text: str, *, key: str, known_hosts: str, sudo: bool) -> SshHost:
    """Return the host that `[USER@]HOST[:PORT]` means. UsageError when it is none."""
    user, _, rest = text.rpartition("@")
    address, colon, port = (rest.strip("[]"), "", "") if rest.count(":") > 1 and not rest.startswith("[") else rest.partition(":")
    if rest.startswith("["):
        address, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    why = address_error(address) or (port_error(port) if port or colon else "")
    if why:
        raise UsageError(f"--ssh {text!r} is not a login: {why}", remedy="write it as root@10.0.0.5 or root@10.0.0.5:2222")
    return SshHost(name, address, int(port or 22), user or user_name() or "root", key, known_hosts, None, sudo)


def outcome(modes: Mapping[str, str], before: Sequence[str], seconds: float) -> list[str]:
    """Return one line for each member that was joined before, and one for those that were joined now."""
    lines = [f"{name} is joined already by {modes[name]}: nothing changed" for name in before]
    if new := [f"{name} by {mode}" for name, mode in modes.items() if name not in before]:
        lines.append(f"joined {', '.join(new)} after {seconds_text(seconds)}")
    return lines


def mode_of(name: str, declared: str, wanted: JoinMode | None, *, lab: str | None = None) -> JoinMode:
    """Return the mode in which to join a member. UsageError when the lab file has another mode: the next `lab up` would fail."""
    if declared == "none":
        return wanted or JoinMode.push
    if wanted is not None and wanted.value != declared:
        raise UsageError(
            f"the lab file joins {name} by {declared}, not by {wanted.value}",
            remedy=f'{command("join", name, lab=lab)}   (by {declared}); or set mode = "none" in the lab file '
            "and join it in either mode by hand",
        )
    return JoinMode(declared)
