"""Addons of others on a Karmada that runs: installed, upgraded, removed; each is looked at whole before anything is touched.

Repeat an interrupted change to complete it, or undo it by `lab addon remove`; until then `lab up` refuses to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deployers.addon import Addon, Place, addon, order_addons
from deployers.addons.contents import contents
from deployers.addons.site import Site, conflict_error, list_first
from deployers.addons.steps import put_addon, sites, unsupported_addons, wait_known
from deployers.karmada import Karmada
from deployers.members.registry import list_members
from deployers.plane import pending_operation
from deployers.spec import KarmadaSpec, newest_of
from lab.assets import AssetRef
from lab.cluster import Cluster
from lab.count import count
from lab.errors import NotPossible, ProvisionError, UsageError
from lab.hints import command
from lab.providers.registry import get_provider
from lab.steps import Step, StepObserver, execute


@dataclass(frozen=True)
class InstalledAddon:
    """An addon of others and where it is: version by cluster, None where only a part of it is."""

    addon: Addon
    wanted: str | None
    there: Mapping[str, str | None]


def find_installed(karmada: Karmada, name: str) -> InstalledAddon:
    """Return what the run knows of an addon."""
    records = {key.removeprefix(f"{name}."): record for key, record in karmada.run.records("addons").items() if key.startswith(f"{name}.")}
    there = {cluster: record["version"] for cluster, record in records.items()}
    return InstalledAddon(addon(name), karmada.spec.addons.others.get(name), there)


def versions(karmada: Karmada, name: str) -> list[str]:
    """Return the pinned versions of an addon, the newest first."""
    return karmada.release.supply.pins.versions(addon(name).parts[0].asset)


def install(karmada: Karmada, name: str, version: str | None = None, *, watcher: StepObserver | None = None) -> Karmada:
    """Install an addon; return the control plane when Karmada can use it. If this version is installed, add it to members that lack it.

    UsageError: no such addon or version, another version is installed, an addon that it needs is not. NotPossible: the lab lacks what it
    needs. ProvisionError: another version that this lab did not install is there. Nothing is changed on an error.
    """
    here = karmada.spec.addons.others.get(name)
    wanted = version or here or newest_of(name)
    if here and here != wanted:
        raise UsageError(f"{name} {here} is installed", remedy=command("addon", "upgrade", f"{name}@{wanted}", lab=karmada.run.id))
    return change(karmada, name, wanted, verb="install", watcher=watcher)


def upgrade(karmada: Karmada, name: str, version: str | None = None, *, watcher: StepObserver | None = None) -> Karmada:
    """Bring an addon to another version: on members first, on Karmada last. Objects of its CRDs stay.

    UsageError when it is not installed. ProvisionError, with nothing touched, when what is stored could not be read any more, or a CRD
    of which there are objects is no part of the other version.
    """
    here = karmada.spec.addons.others.get(name)
    if addon(name) and here is None:
        raise UsageError(f"{name} is not installed", remedy=command("addon", "install", name, lab=karmada.run.id))
    return change(karmada, name, version or newest_of(name), verb="upgrade", watcher=watcher)


def remove(karmada: Karmada, name: str, *, watcher: StepObserver | None = None) -> Karmada:
    """Take an addon away from everywhere, from Karmada first; not installed, nothing is done.

    UsageError when another addon needs it. ProvisionError when objects of its CRDs exist anywhere: they would go with them.
    """
    added = addon(name)
    others = dict(karmada.spec.addons.others)
    if needing := [other for other in others if name in addon(other).after]:
        raise UsageError(f"{name} is needed by {', '.join(needing)}", remedy=command("addon", "remove", needing[0], lab=karmada.run.id))
    where = [site for _, site in sites(karmada, added, karmada.lab.members) if karmada.run.recorded("addons", site.key)]
    if name not in others and not where and pending_operation.facts_of(karmada.run, pending_operation.addon_operation(name)) is None:
        return karmada
    if used := [each for site in where for each in site.in_use()]:
        raise ProvisionError(
            f"{name} is in use: {count(len(used), 'object')} would be deleted with its CRDs",
            detail=list_first(used),
            remedy="delete them first",
        )
    others.pop(name, None)
    with hold_change(karmada, name, "remove"):
        karmada = karmada.asking(with_addons(karmada.spec, others))
        steps: list[Step] = []
        for site in reversed(where):
            steps.append(Step(f"addons/{name}/{site.cluster.name}", site.take, tuple(step.name for step in steps[:1])))
        execute(steps, karmada.run, watcher=watcher)
    return karmada


def change(karmada: Karmada, name: str, version: str, *, verb: str, watcher: StepObserver | None) -> Karmada:
    """Apply a version of an addon, whatever version is installed."""
    added, run = addon(name), karmada.run
    others = {**karmada.spec.addons.others, name: version}
    order_addons(others)
    spec = with_addons(karmada.spec, others)
    lab = karmada.lab.spec
    if lacking := unsupported_addons(spec, get_provider(lab.provider).offers, lab):
        raise NotPossible(
            f"{name} cannot be installed here",
            detail="\n".join(lacking),
            remedy="take a provider that offers it: --provider kind",
        )
    paths = bring_assets(karmada, added, version)
    known = member_clusters(karmada)
    where = sites(karmada, added, known)
    require_no_conflicts(added, version, where, paths)
    with hold_change(karmada, name, f"{verb} {name}@{version}"):
        karmada = karmada.asking(spec)
        before: tuple[str, ...] = ()
        steps: list[Step] = []
        for place, site in where:
            act = partial(put_addon, site, added, version, place, paths)
            steps.append(Step(f"addons/{name}/{site.cluster.name}", act, before if place == "karmada" else ()))
            before = (*before, steps[-1].name)
        steps.append(Step(f"addons/{name}", partial(wait_known, karmada, added, version, paths, known), before))
        execute(steps, run, watcher=watcher)
    return karmada


def install_on_new_member(karmada: Karmada, member: Cluster) -> None:
    """Install the installed addons on a member that joined later; return when Karmada can use them there.

    ProvisionError when another version that this lab did not install is there.
    """
    for name, version in karmada.spec.addons.others.items():
        added = addon(name)
        if added.parts_on("members"):
            paths = bring_assets(karmada, added, version)
            put_addon(Site(karmada.run, name, member), added, version, "members", paths)
            wait_known(karmada, added, version, paths, [member])


def require_no_conflicts(added: Addon, version: str, where: Sequence[tuple[Place, Site]], paths: Mapping[str, Path]) -> None:
    """Return if a version can be installed everywhere. ProvisionError names the conflicts."""
    found = [(site, contents(added, version, place, paths, site.run)) for place, site in where]
    if conflicts := [each for site, objects in found for each in site.conflicts(objects)]:
        raise conflict_error(added.name, version, conflicts)
    if lost := [each for site, objects in found for each in site.unreadable(objects)]:
        raise ProvisionError(
            f"{added.name} {version} cannot read the stored objects",
            detail=list_first(lost),
            remedy="upgrade to a version in between first",
        )
    if used := [each for site, objects in found for each in site.in_use(objects)]:
        raise ProvisionError(
            f"{added.name} {version} has no CRD for {count(len(used), 'object')} in use",
            detail=list_first(used),
            remedy="delete them first",
        )


def bring_assets(karmada: Karmada, added: Addon, version: str) -> dict[str, Path]:
    """Return the assets of a version, brought. UsageError names the versions that are pinned."""
    refs = [AssetRef.parse(name) for name in added.software(version)]
    return {str(ref): path for ref, path in karmada.release.supply.resolve(refs).items()}


def member_clusters(karmada: Karmada) -> list[Cluster]:
    """Return the clusters of the lab that are members now."""
    known = list_members(karmada)
    return [cluster for cluster in karmada.lab.members if cluster.name in known]


def with_addons(spec: KarmadaSpec, others: Mapping[str, str]) -> KarmadaSpec:
    """Return a spec with exactly these third-party addons."""
    document = spec.model_dump(mode="json")
    return KarmadaSpec.model_validate({**document, "addons": {**document["addons"], "others": dict(others)}})


@contextmanager
def hold_change(karmada: Karmada, name: str, args: str) -> Iterator[None]:
    """Record a change of one addon as pending during the body."""
    with pending_operation.hold_pending(
        karmada.run, pending_operation.addon_operation(name), again=command("addon", *args.split(), lab=karmada.run.id)
    ):
        yield
