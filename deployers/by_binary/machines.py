"""What Karmada needs on the machines that it runs on: programs of the cache, certificates, configuration, kubeconfigs of members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from deployers.by_binary import balancer
from deployers.karmada import Karmada
from deployers.names import NAME
from deployers.plane.layout import Layout
from lab import audit
from lab.machines.local import Local
from lab.machines.placement import Placement
from lab.machines.portable import make_portable, portable_argv
from lab.providers import embedded
from lab.run import Run
from lab.steps import Step

KUBECONFIGS = f"{NAME}/member-kubeconfigs"
"""The step that copies the kubeconfigs of members to the machines."""
STAY_HERE = frozenset({"etcd-ca.key", "client.key", "client.crt", "admin.kubeconfig"})
"""Files of the control plane's identity that no program reads: the authority of etcd signs here, administrators call from here."""


def bring_step(machine: str) -> str:
    """Return the name of the step that copies Karmada's programs to a machine."""
    return f"{NAME}/programs-{machine}"


def machine_steps(karmada: Karmada, layout: Layout, software: Mapping[str, Iterable[Path]]) -> list[Step]:
    """Return the steps that bring to each machine what Karmada needs there. `software` are the programs of each machine by its name."""
    spec = karmada.lab.spec
    placed = {cluster.machine for cluster in spec.made if cluster.machine}
    steps = [
        Step(
            bring_step(place.name),
            partial(bring_programs, place, software[place.name]),
            (embedded.bring_step(place.name),) if place.name in placed else (),  # two copies of one program are not made at once
        )
        for place in layout.places
    ]
    if karmada.spec.addons.estimators and layout.places:
        files = [member.kubeconfig for member in karmada.members]
        steps.append(Step(KUBECONFIGS, partial(push_files, layout.places, files), tuple(member.name for member in karmada.members)))
    return steps


def bring_programs(place: Placement, programs: Iterable[Path]) -> None:
    """Copy programs to a machine, the balancer with its libraries."""
    wanted = set(programs)
    if portable_argv(balancer.program())[0] in wanted:
        wanted.update(make_portable(balancer.program(), Local(place.run.path)))
    place.bring(wanted)


def push_identity(run: Run, places: Iterable[Placement]) -> None:
    """Copy certificates, kubeconfigs and configuration to every machine; keys that no program there reads stay here."""
    pki, data = run.path / "pki" / NAME, run.path / "data" / NAME
    files = sorted(path for path in pki.iterdir() if path.name not in STAY_HERE)
    files += sorted(path for path in data.iterdir() if path.is_file()) if data.is_dir() else []
    for place in places:
        place.make_folders(pki, data, run.path / "logs" / NAME)
    push_files(places, [*files, audit.policy_file(run)])


def push_files(places: Iterable[Placement], files: Sequence[Path]) -> None:
    """Copy files of the run to every machine."""
    for place in places:
        place.push(files)
