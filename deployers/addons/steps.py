"""Addons as steps of `up`: after `addons/NAME/CLUSTER` one is on a cluster, after `addons/NAME` Karmada knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from deployers.addon import Addon, Place, addon
from deployers.addons.contents import Contents, contents, crds
from deployers.addons.site import Site
from deployers.karmada import Karmada
from deployers.members.registry import CLUSTERS
from deployers.names import READY
from deployers.spec import KarmadaSpec
from lab.cluster import Cluster, Lab
from lab.images import Image, ImageFile, load_archive, make_archive
from lab.images.kubernetes import CONTENT
from lab.spec import Capability, ClusterSpec, LabSpec
from lab.steps import Step

Json = dict[str, Any]
WITHIN = 60.0
"""Seconds until Karmada knows a member's APIs: it polls every 10 s (--cluster-status-update-frequency)."""


def software(spec: KarmadaSpec) -> list[str]:
    """Return the assets of a spec's addons of others."""
    return [name for each, version in spec.addons.others.items() for name in addon(each).software(version)]


def unsupported_addons(spec: KarmadaSpec, offers: frozenset[Capability], lab: LabSpec) -> list[str]:
    """Return a sentence for each addon that cannot be on what a provider makes, or that would stay on a cluster that exists."""
    lacking = {name: sorted(need.value for need in set(addon(name).needs) - offers) for name in spec.addons.others}
    found = [
        f"the addon {name} needs {', '.join(what)}, which the provider {lab.provider} does not offer"
        for name, what in lacking.items()
        if what
    ]
    places: tuple[tuple[Place, Sequence[ClusterSpec]], ...] = (("host", (lab.host,)), ("members", lab.members))
    for name in spec.addons.others:
        if addon(name).parts_on("host") and not lab.has_host:
            found.append(f"addons.{name}: a part of it runs on the host cluster, and there is none")
        on = [each.name for place, group in places if addon(name).parts_on(place) for each in group if each.kubeconfig]
        if on:
            found.append(f"addons.{name}: it would stay on clusters that exist when the lab is taken down: {', '.join(on)}")
    return found


def clusters(karmada: Karmada, place: Place, members: Sequence[Cluster]) -> Sequence[Cluster]:
    """Return the clusters that a place means."""
    return {"karmada": (karmada.cluster,), "host": (karmada.lab.host,), "members": members}[place]


def sites(karmada: Karmada, added: Addon, members: Sequence[Cluster]) -> list[tuple[Place, Site]]:
    """Return where an addon goes: members first, then the host, Karmada last, so that Karmada accepts nothing that members cannot serve."""
    places: tuple[Place, ...] = ("members", "host", "karmada")
    return [
        (place, Site(karmada.run, added.name, cluster))
        for place in places
        if added.parts_on(place)
        for cluster in clusters(karmada, place, members)
    ]


def addon_steps(karmada: Karmada, paths: Mapping[str, Path]) -> list[Step]:
    """Return the steps of every addon of others; `paths` has the assets by name@version."""
    made: list[Step] = []
    for name, version in karmada.spec.addons.others.items():
        added = addon(name)
        before = tuple(f"addons/{each}" for each in added.after)
        put = []
        for place, site in sites(karmada, added, karmada.members):
            there = READY if place == "karmada" else site.cluster.name
            act = partial(put_addon, site, added, version, place, paths)
            put.append(Step(f"addons/{name}/{site.cluster.name}", act, (there, *before)))
        known = partial(wait_known, karmada, added, version, paths, karmada.members)
        joined = tuple(f"{member.name}/joined" for member in karmada.members)
        made += [*put, Step(f"addons/{name}", known, (*(step.name for step in put), *joined))]
    return made


def put_addon(site: Site, added: Addon, version: str, place: Place, paths: Mapping[str, Path]) -> None:
    """Install an addon on one cluster: first the images of its pods, then its objects."""
    if added.programs and place != "karmada":
        load_archive(Lab.open(site.run), site.cluster, make_archive(images(added, version), paths))
    site.put(version, contents(added, version, place, paths, site.run))


def images(added: Addon, version: str) -> list[Image]:
    """Return the images of an addon's programs. Their labels contain the version."""
    return [
        Image(
            each.image,
            (ImageFile(each.path, asset=f"{each.asset}@{version}"),),
            entrypoint=(each.path,),
            user=each.user,
            labels={CONTENT: f"{each.asset} {version}"},
        )
        for each in added.programs
    ]


def wait_known(karmada: Karmada, added: Addon, version: str, paths: Mapping[str, Path], members: Sequence[Cluster]) -> None:
    """Return when Karmada's scheduler knows that every member serves the addon's resources; before that it places none there."""
    wanted = kinds_of(contents(added, version, "members", paths, karmada.run))
    for member in members if wanted else ():
        karmada.api.until(
            f"{CLUSTERS}/{member.name}",
            partial(missing_kinds, wanted),
            what=f"Karmada knows that {member.name} serves {added.name}",
            within=WITHIN,
        )


def kinds_of(contents: Contents) -> set[tuple[str, str]]:
    """Return (group/version, kind) of everything that is served once the CRDs are there."""
    return {
        (f"{crd['spec']['group']}/{version['name']}", str(crd["spec"]["names"]["kind"]))
        for crd in crds(contents)
        for version in crd["spec"]["versions"]
        if version["served"]
    }


def missing_kinds(wanted: set[tuple[str, str]], member: Json) -> str | None:
    """Return what of this a Cluster object does not list as enabled yet, or None."""
    enabled = (member.get("status") or {}).get("apiEnablements") or []
    there = {(group["groupVersion"], resource["kind"]) for group in enabled for resource in group.get("resources") or []}
    if missing := sorted(wanted - there):
        return f"not known yet: {', '.join(f'{kind} of {group}' for group, kind in missing[:3])}" + (" …" if len(missing) > 3 else "")
    return None
