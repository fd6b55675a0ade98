"""Karmada's own addons switched on and off while Karmada runs, where they are programs of this lab.

The deployer computes the programs and their flags from the changed spec, as in `up`; running programs are then replaced where they differ.
Switching estimators on or off restarts the scheduler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from deployers.by_binary.deployer import ByBinary
from deployers.by_binary.installation import BinaryInstallation, open_plane
from deployers.by_binary.rollout import replace_program
from deployers.checks import description
from deployers.karmada import Karmada
from deployers.plane import manifests, objects, pending_operation
from deployers.spec import ADDONS, KarmadaSpec
from lab import component
from lab.errors import NotPossible, UsageError
from lab.hints import command
from lab.steps import Step, StepObserver, execute

WHAT = {
    "descheduler": "moves replicas that cannot run where they are",
    "search": "searches members, and caches what they hold",
    "metrics_adapter": "the metrics APIs, answered from the members'",
    "estimators": "tell the scheduler how many replicas fit, one for each member",
}
"""The purpose of each."""
SERVERS = {"search": "karmada-search", "metrics_adapter": "karmada-metrics-adapter"}
"""The aggregated API servers among them: each needs an APIService."""


def switch(karmada: Karmada, name: str, *, on: bool, version: str | None = None, watcher: StepObserver | None = None) -> Karmada:
    """Start or stop one of Karmada's own addons, and return the changed control plane.

    UsageError for a version: it is Karmada's. NotPossible where they are pods, or what was asked cannot take effect here.
    """
    if version:
        refuse_version(name, lab=karmada.run.id)
    what = pending_operation.addon_operation(name)
    if getattr(karmada.spec.addons, name) == on and pending_operation.facts_of(karmada.run, what) is None:
        return karmada
    spec = with_addon(karmada.spec, name, on=on)
    open_plane(karmada)  # NotPossible where another deployer made it
    if obstacles := ByBinary().check(spec, karmada.lab.spec):
        raise NotPossible(f"{name} cannot be switched on here", detail="\n".join(obstacles))
    again = command("addon", "install" if on else "remove", name, lab=karmada.run.id)
    with pending_operation.hold_pending(karmada.run, what, again=again):
        plane = open_plane(replace(karmada, spec=spec))
        if not on:
            remove_addon(open_plane(replace(karmada, spec=with_addon(karmada.spec, name, on=True))), plane, name)
        execute(switch_steps(plane), karmada.run, watcher=watcher)
        karmada = karmada.asking(spec)
        description.save(karmada)
    return karmada


def with_addon(spec: KarmadaSpec, name: str, *, on: bool) -> KarmadaSpec:
    """Return a spec with an addon on or off; switching it off removes the settings of its program too."""
    document = spec.model_dump(mode="json")
    components = {key: value for key, value in document["components"].items() if on or key != ADDONS[name]}
    return KarmadaSpec.model_validate({**document, "components": components, "addons": {**document["addons"], name: on}})


def switch_steps(plane: BinaryInstallation) -> list[Step]:
    """Return the steps that make the running programs match a plane; programs and members that match are left alone."""
    others = plane.steps()
    here = {*(part.name for part in plane.programs), *(step.name for step in others)}
    programs = [
        Step(part.name, partial(replace_program, plane, part), tuple(need for need in part.needs if need in here), priority=part.priority)
        for part in plane.programs
    ]
    return [*programs, *others]


def remove_addon(before: BinaryInstallation, after: BinaryInstallation, name: str) -> None:
    """Take an addon's APIs from karmada-apiserver, then end its programs: in the other order discovery would wait for them."""
    for document in reversed(apiserver_objects(before, name)):
        before.api.delete(before.api.path_of(document))
    kept = {part.name for part in after.programs}
    objects.map_concurrently(partial(component.remove, run=before.run), [part.name for part in before.programs if part.name not in kept])


def apiserver_objects(plane: BinaryInstallation, name: str) -> Sequence[manifests.Json]:
    """Return what an addon has on karmada-apiserver: its APIs, or the Services by which estimators are found."""
    if name in SERVERS:
        return manifests.api_services(plane.deploy, SERVERS[name], plane.addresses)
    return [manifests.estimator_service(member.name, 0) for member in plane.karmada.members] if name == "estimators" else []


def refuse_version(name: str, *, lab: str | None = None) -> None:
    """UsageError for one of Karmada's own: its version is Karmada's."""
    if name in WHAT:
        raise UsageError(f"the version of {name} is Karmada's", remedy=command("upgrade", "VERSION", lab=lab))
