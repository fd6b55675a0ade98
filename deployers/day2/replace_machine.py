"""Put a machine of a control plane of programs back to work after it was lost: its programs, its identity, its member of etcd.

The machine answers again under its address, as it was or empty: the lab makes it again where it makes its machines, and its owner does
elsewhere. A member of etcd that has its data starts again, one that lost them becomes a new member that catches up. Nothing is done to
other machines. Interrupted, the same command goes on.
"""

from __future__ import annotations

from dataclasses import replace

from deployers.by_binary import machines
from deployers.by_binary.installation import BinaryInstallation, open_plane
from deployers.checks import description
from deployers.etcd import membership
from deployers.karmada import Karmada
from lab import component
from lab.component import Component
from lab.errors import CommandFailed, UsageError
from lab.machine_steps import machine_software, make_machine_steps
from lab.machines.placement import Placement
from lab.near_names import did_you_mean, near_names
from lab.steps import StepObserver, execute


def replace_machine(karmada: Karmada, name: str, *, watcher: StepObserver | None = None) -> list[str]:
    """Return the programs that run on the machine again, once they serve. UsageError when Karmada does not run on such a machine."""
    names = karmada.spec.by_binary.machines
    if name not in names:
        known = did_you_mean(near_names(name, names)) or (f"; they are {', '.join(names)}" if names else "; it runs on this computer")
        raise UsageError(f"Karmada runs on no machine {name!r}{known}", where=str(karmada.run.path))
    karmada.run.journal("replace-machine", name=name)
    make_machine(karmada, name, watcher)
    plane = open_plane(karmada)
    place = next(place for place in plane.layout.places if place.name == name)
    machines.bring_programs(place, plane.list_software()[name])
    machines.push_identity(karmada.run, [place])
    if karmada.spec.addons.estimators:
        machines.push_files([place], [member.kubeconfig for member in karmada.members])
    for part in list_programs(plane, name):
        if part.kind == "etcd":
            restore_member(karmada, place, part)
    parts = list_programs(open_plane(karmada), name)
    steps, own = component.make_steps(parts, karmada.run), {part.name for part in parts}
    execute([replace(step, needs=tuple(need for need in step.needs if need in own)) for step in steps], karmada.run, watcher=watcher)
    description.save(karmada)
    return sorted(own)


def make_machine(karmada: Karmada, name: str, watcher: StepObserver | None) -> None:
    """Make the machine again if the lab made it, and log in to it. Other machines are left alone."""
    spec = karmada.lab.spec
    software = {ref.name: path for ref, path in karmada.supply.resolve(machine_software(spec)).items()}
    steps = make_machine_steps(karmada.run, spec, software)
    wanted = [step for step in steps if step.name == f"machines/{name}" or step.name.removeprefix("machines/") not in spec.machine_names]
    execute(wanted, karmada.run, watcher=watcher)


def list_programs(plane: BinaryInstallation, machine: str) -> list[Component]:
    """Return the programs of a machine."""
    return [part for part in plane.programs if part.machine == machine]


def restore_member(karmada: Karmada, place: Placement, part: Component) -> None:
    """Start a member of etcd that has its data; replace one that lost them."""
    member = part.name.rpartition("/")[2]
    if has_data(place, karmada, member) and not membership.is_pending(karmada, membership.replacing(member)):
        component.start(part, karmada.run)
    else:
        membership.replace(karmada, member)


def has_data(place: Placement, karmada: Karmada, member: str) -> bool:
    """Return whether the data of a member of etcd are on a machine."""
    data = place.path(karmada.run.path / "data" / karmada.name / member / "member")
    try:
        place.machine.run(["test", "-d", str(data)])
    except CommandFailed as failed:
        if failed.status == 1:
            return False
        raise
    return True
