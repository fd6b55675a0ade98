"""The kinds of machines: what keeps this computer from making each, and the steps that make or reach those of a lab.

It imports paramiko and every factory: `lab.machine_steps` loads it for a lab that has machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from lab.computer import Probe
from lab.factories import containers
from lab.factories.namespace.factory import make_machines, namespace_problems
from lab.factories.vm.domain import VmShape
from lab.factories.vm.factory import make_machines as make_virtual_machines
from lab.factories.vm.problems import vm_problems
from lab.host_checks import check_host
from lab.images.machine import build_machine_image
from lab.machines.lease import read_owners
from lab.machines.local import Local
from lab.machines.record import MachineRecord, record_machine
from lab.machines.registry import open_machine, open_remote_owner
from lab.machines.route import check_route
from lab.preflight import Problem
from lab.providers.embedded_cluster import reserve_cluster_ports
from lab.run import Run
from lab.spec import LabSpec
from lab.steps import Step

Software = Mapping[str, Path]

KINDS: Mapping[str, Callable[[Probe], list[Problem]]] = {
    "namespace": namespace_problems,
    "container": containers.container_problems,
    "vm": vm_problems,
}
"""The kinds of machines that are made here, and what keeps this computer from making each."""


def make_kind_steps(run: Run, spec: LabSpec, kind: str, software: Software) -> list[Step]:
    """Return the steps that make the machines of a lab, or reach the user's hosts; all are independent but for what they share."""
    kinds: Mapping[str, Callable[[], list[Step]]] = {
        "namespace": lambda: make_machines(run, spec.machine_names),
        "container": lambda: make_containers(run, spec, software),
        "vm": lambda: make_virtual_machines(run, spec.machine_names, choose_shape(spec)),
        "ssh": lambda: reach_hosts(run, spec),
    }
    return kinds[kind]()


def choose_shape(spec: LabSpec) -> VmShape:
    """Return how large virtual machines are: those that clusters are placed on have 3 GiB and two processors."""
    return VmShape(3072, 2) if any(cluster.machine for cluster in spec.clusters) else VmShape()


def make_containers(run: Run, spec: LabSpec, software: Software) -> list[Step]:
    """Return the steps that make containers, after the one that makes their image."""
    images: list[str] = []
    engine = Local(run.path)
    image = Step("machines/image", lambda: images.append(build_machine_image(engine, software)), cpu_bound=True)
    return [image, *containers.machine_steps(run, spec.machine_names, image=lambda: images[-1], needs=(image.name,))]


def reach_hosts(run: Run, spec: LabSpec) -> list[Step]:
    """Record the user's hosts, and return the steps that log in to each."""
    for host in spec.machines.hosts if spec.machines else ():
        record_machine(run, host.name, MachineRecord("ssh", **host.model_dump(exclude={"name", "jump_only"})))
    return [Step(f"machines/{name}", partial(log_in, run, name, spec)) for name in spec.machine_names]


def log_in(run: Run, name: str, spec: LabSpec) -> None:
    """Return when a command has run on a host. Errors of `lab.machines.ssh` say why it cannot be reached.

    NotPossible when clusters are placed on it and it cannot run them, or their API cannot be reached.
    """
    machine = open_machine(run, name)
    machine.run(["true"])
    if placed := [cluster for cluster in spec.made if cluster.machine == name]:
        check_route(run, name)
        if name not in read_owners(run):  # else their programs run there, and have the ports
            folder = str(open_remote_owner(run, name).run.parents[1])
            check_host(machine, folder, {port for cluster in placed for port in reserve_cluster_ports(run, cluster).values()})
