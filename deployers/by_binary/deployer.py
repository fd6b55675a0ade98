"""Karmada as programs of this computer or of machines of the lab: no container, no host cluster, its own etcd and kube-apiserver.

The website's page on binary installation has not worked for years (flags that are gone, webhook addresses that are never
filled in); this follows artifacts/deploy of the release instead, in an order computed from what each part needs:

    identity → etcd → karmada-apiserver → crds ─────────────────────────┬→ karmada-controller-manager, karmada-scheduler …
                                        → namespace → access, leases ───┤
                                        → webhook → webhooks ───────────┤   (hooks after what answers them: upstream's order leaves a gap
                                        → aggregated-apiserver          │    in which every write of a policy fails)
                                             → cluster-api ─────────────┘
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from deployers.by_binary import balancer
from deployers.by_binary.check_machines import check_steps
from deployers.by_binary.installation import STOPPED_LAST, BinaryInstallation, assets_by_component, install_steps, make_layout
from deployers.by_binary.preflight import preflight_errors, why_single
from deployers.by_binary.rollout import rollout_steps
from deployers.karmada import Karmada, description_file
from deployers.names import NAME, kind_of_instance
from deployers.options import CARRIED, IN_PART, complete, refusals
from deployers.options import OPTIONS as ALL
from deployers.plane import objects
from deployers.plane.layout import open_places
from deployers.spec import COMPONENTS, KarmadaSpec
from lab import component
from lab.count import count
from lab.errors import ProvisionError
from lab.hints import command
from lab.programs import find_program_owner, read_programs
from lab.run import Run
from lab.spec import Capability, LabSpec
from lab.steps import Step

SEVERAL = f"{IN_PART}several need by_binary.external_name or by_binary.machines: a haproxy of the lab stands before them"
OPTIONS = complete(
    {
        **dict.fromkeys(ALL, CARRIED),
        "etcd.storage": "programs keep etcd's data in the run directory: there are no volumes",
        "registry": "programs are started as they are: there are no images",
        "by_binary.external_name": CARRIED,
        "by_binary.files": CARRIED,
        "by_binary.machines": CARRIED,
        "by_binary.virtual_address": CARRIED,
        **{f"components.{name}.replicas": why_single(name) for name in COMPONENTS if why_single(name)},
        **{f"components.{name}.replicas": SEVERAL for name in ("karmada-apiserver", *balancer.BEHIND)},
    }
)


@dataclass(frozen=True)
class ByBinary:
    """The default deployer."""

    needs: frozenset[Capability] = frozenset({Capability.MACHINES})
    options: Mapping[str, str] = field(default_factory=lambda: OPTIONS)

    def software(self, spec: KarmadaSpec) -> list[str]:
        """Return the assets that this control plane needs, and karmadactl."""
        return list(assets_by_component(spec).values())

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]:
        """Return what of the spec cannot take effect here. Nothing is created."""
        return [*refusals(spec, OPTIONS), *preflight_errors(spec, lab)]

    def install(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps that install or complete the control plane. Steps exchange data only by files."""
        return install_steps(make_plane(karmada, software))

    def check_machines(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps that ask the machines whether Karmada can run there; none when it runs on this computer."""
        return check_steps(make_plane(karmada, software)) if karmada.spec.by_binary.machines else []

    def upgrade(self, karmada: Karmada, spec: KarmadaSpec, software: Mapping[str, Path], *, back: bool) -> list[Step]:
        """Return the steps to another release; see `deployers.day2.upgrade`."""
        return rollout_steps(make_plane(replace(karmada, spec=spec), software), back=back)

    def remove(self, karmada: Karmada) -> None:
        """Stop Karmada's programs and delete their keys, data and records.

        The clusters stay as they are, joined members' service accounts and Karmada's namespaces on them included: unjoin before,
        where that matters. An external etcd keeps what was written to it.
        """
        run = karmada.run
        run.journal("remove", what=NAME)
        found = read_programs(run)
        if found.unreached:
            raise ProvisionError(
                f"removing Karmada failed: {count(len(found.unreached), 'machine')} with programs of it did not answer",
                detail="\n".join(f"{name}: {why}" for name, why in found.unreached.items()),
                remedy=f"start them, then run this again; {command('down', lab=run.id)} removes the whole lab",
            )
        stop_programs(run, [name for name in found.running if name.startswith(f"{NAME}/")])
        for place in open_places(run, karmada.spec):
            place.delete(run.path / "pki" / NAME, run.path / "data" / NAME)
        forget(karmada)


def make_plane(karmada: Karmada, software: Mapping[str, Path]) -> BinaryInstallation:
    """Return the control plane of a spec with its programs among `software`, by asset; its ports are reserved now if they are not yet."""
    programs = {name: software[asset] for name, asset in assets_by_component(karmada.spec).items()}
    return BinaryInstallation(karmada, make_layout(karmada, programs))


def forget(karmada: Karmada) -> None:
    """Delete a removed control plane's files from the run: keys, data, kubeconfig, description and records."""
    run = karmada.run
    for program in component.read_health(run):
        if program.startswith(f"{NAME}/"):
            run.forget(component.HEALTH, component.record_name(program))
    for folder in (run.path / "pki" / NAME, run.path / "data" / NAME):
        shutil.rmtree(folder, ignore_errors=True)
    karmada.kubeconfig.unlink(missing_ok=True)
    description_file(run).unlink(missing_ok=True)
    for kind in (NAME, "etcd"):
        for record in list(run.records(kind)):
            run.forget(kind, record)


def stop_programs(run: Run, programs: Iterable[str], *, within: float = 10.0) -> None:
    """Stop programs, those that others need last: controllers before the API server they call, etcd at the very end."""
    names = sorted(programs)

    def stop(name: str) -> None:
        find_program_owner(run, name).stop(name, within=within)

    last = [name for kind in STOPPED_LAST for name in names if kind_of_instance(name) == kind]
    objects.map_concurrently(stop, [name for name in names if name not in last])
    for name in last:
        stop(name)
