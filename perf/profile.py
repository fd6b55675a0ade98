"""Profiles: the settings that a trial is run with. A profile is a lab file with one member, which stands for both.

`default` and `tuned` are in perf/profiles/; the path of another lab file is a profile too, so that users measure what they run.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deployers.bring_up import Wanted, document, prepare
from deployers.spec import KarmadaSpec, profiles
from lab.errors import UsageError
from perf.shapes import LOST, SURVIVOR, Shape

PROFILES = Path(__file__).parent / "profiles"
MANAGER, WEBHOOK = "karmada-controller-manager", "karmada-webhook"
Json = dict[str, Any]


def names() -> list[str]:
    """Return the names of the profiles that come with this project."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def file_of(name: str) -> Path:
    """Return the lab file of a profile, by name or path. UsageError lists what there is."""
    if "/" in name or name.endswith(".toml"):
        return Path(name)
    if name not in names():
        raise UsageError(
            f"there is no profile {name!r}", remedy=f"one of: {', '.join(names())}; or the path of a lab file, with a slash in it"
        )
    return PROFILES / f"{name}.toml"


def objects(name: str) -> list[Json]:
    """Return the objects of a profile, for both members and Karmada: those of the file beside it that ends in .yaml; none without one."""
    path = file_of(name).with_suffix(".yaml")
    return list(yaml.safe_load_all(path.read_text())) if path.exists() else []


def wanted(profile: str, shape: Shape, changes: Sequence[str] = (), *, kwok: bool = True) -> Wanted:
    """Return the lab of a trial: the profile's, with two members of the shape's nodes, and single keys changed.

    A change is `karmada.components.karmada-scheduler.flags.kube-api-qps=100`; one that begins with `members.` is made to both; one with
    nothing after the equals sign removes the key, and null drops a flag that a member would have by itself. Without `kwok` the members
    have no nodes yet.
    """
    path = file_of(profile)
    asked = document(path)
    template = (asked.get("members") or [{}])[0]
    nodes = {LOST: shape.nodes, SURVIVOR: shape.survivor_nodes or shape.nodes}
    asked["members"] = [
        {**copy.deepcopy(template), "name": name, "mode": shape.mode, "nodes": [{"count": count}] if kwok else []}
        for name, count in nodes.items()
    ]
    if "karmada" not in asked:
        raise UsageError("a profile without [karmada] has nothing to measure", where=str(path), remedy="add the table [karmada]")
    for change in changes:
        apply(asked, change)
    return prepare(asked, source=str(path))


def apply(asked: Json, change: str) -> None:
    """Make one change to a document. UsageError when it is not KEY=VALUE or names no place."""
    key, equals, value = change.partition("=")
    first, *rest = key.split(".")
    if not equals or not rest:
        raise UsageError(f"not a change: {change!r}", remedy="as in --set karmada.components.karmada-scheduler.flags.kube-api-qps=100")
    for root in asked["members"] if first == "members" else [asked.setdefault(first, {})]:
        place = root
        for part in rest[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise UsageError(f"{part!r} is no table", where=f"--set {change}", remedy="name a key of a table")
        if value:
            gates = {"true": True, "false": False} if "feature_gates" in rest else {"null": None}
            place[rest[-1]] = gates.get(value, value)
        else:
            place.pop(rest[-1], None)


def flags(karmada: KarmadaSpec, component: str) -> dict[str, str]:
    """Return the flags that the profile and the spec give a component, feature gates folded in."""
    settings = karmada.settings(component)
    given = {**profiles()[karmada.profile].get(component, {}), **settings.flags}
    merged = {name: value if isinstance(value, str) else ",".join(value) for name, value in given.items() if name not in settings.without}
    if settings.feature_gates:
        own = ",".join(f"{name}={str(on).lower()}" for name, on in settings.feature_gates.items())
        merged["feature-gates"] = ",".join(part for part in (merged.get("feature-gates", ""), own) if part)
    return merged


def switched_off(karmada: KarmadaSpec) -> list[str]:
    """Return the switches of failover that are off in a spec, as one has to set them; without any of them nothing moves."""
    manager, webhook = flags(karmada, MANAGER), flags(karmada, WEBHOOK)
    gates = dict(pair.split("=", 1) for pair in manager.get("feature-gates", "").split(",") if "=" in pair)
    off = []
    if gates.get("Failover", gates.get("AllBeta", "false")) != "true":
        off.append(f"{MANAGER}: feature_gates = {{ Failover = true }}")
    if manager.get("enable-no-execute-taint-eviction") != "true":
        off.append(f'{MANAGER}: flags.enable-no-execute-taint-eviction = "true"')
    if manager.get("enable-taint-manager", "true") != "true":
        off.append(f'{MANAGER}: flags.enable-taint-manager = "true"')
    if webhook.get("allow-no-execute-taint-policy") != "true":
        off.append(f'{WEBHOOK}: flags.allow-no-execute-taint-policy = "true"')
    return off


def check(karmada: KarmadaSpec, *, without_failover: bool) -> None:
    """UsageError when failover is off and that is not what is measured, or the other way round."""
    off = switched_off(karmada)
    if off and not without_failover:
        raise UsageError(
            "failover is off in this profile: nothing would move",
            detail="\n".join(off),
            remedy="set these, or measure exactly that with --without-failover",
        )
    if without_failover and not off:
        raise UsageError("failover is on in this profile", remedy="leave --without-failover away, or switch it off with --set")
