"""Profiles: the settings of a trial. A profile is a lab file with one member, the template of both.

`default` and `tuned` are in perf/profiles/; the path of another lab file is a profile too, so that users measure what they run.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from deployers.plane.flags import GATES, extra_args, gates_of
from deployers.spec import KarmadaSpec
from deployers.wanted import Wanted, document, prepare
from lab.errors import UsageError
from lab.spec import Strict, parse, read
from perf.shapes import LOST, SURVIVOR, Shape

PROFILES = Path(__file__).parent / "profiles"
MANAGER, WEBHOOK = "karmada-controller-manager", "karmada-webhook"
NO_OBJECTS = "objects="
"""The change that omits the objects of a profile."""
Json = dict[str, Any]


class ProfileSetting(Strict):
    """A setting of a profile (or several that belong together), and the changes that reset it to Karmada's or Kubernetes' default."""

    title: str
    back: tuple[str, ...] = Field(min_length=1)


def list_profiles() -> list[str]:
    """Return the names of the profiles that come with this project."""
    return sorted(path.stem for path in PROFILES.glob("*.toml") if "." not in path.stem)


def find_profile(name: str) -> Path:
    """Return the lab file of a profile, by name or path. Raise UsageError, with the known names, for an unknown one."""
    if "/" in name or name.endswith(".toml"):
        return Path(name)
    if name not in list_profiles():
        raise UsageError(
            f"unknown profile {name!r}", remedy=f"one of: {', '.join(list_profiles())}; or the path of a lab file, with a slash in it"
        )
    return PROFILES / f"{name}.toml"


def read_objects(name: str, changes: Sequence[str] = ()) -> list[Json]:
    """Return the objects of a profile for both members and Karmada, from the .yaml file beside it; none without that file."""
    path = find_profile(name).with_suffix(".yaml")
    return list(yaml.safe_load_all(path.read_bytes())) if path.exists() and NO_OBJECTS not in changes else []


def read_settings(name: str) -> dict[str, ProfileSetting]:
    """Return the resettable settings of a profile by name, from the .settings.toml file beside it.

    Raise UsageError when there is no such file, or when it names a key that the profile does not have.
    """
    path = find_profile(name).with_suffix(".settings.toml")
    if not path.exists():
        raise UsageError(
            f"profile {name} has no settings file",
            where=str(path),
            remedy="write it, as perf/profiles/tuned.settings.toml",
        )
    found = {each: parse(ProfileSetting, table, source=f"{path}, {each}") for each, table in read(path).items()}
    asked = document(find_profile(name))
    for setting, each in found.items():
        for change in each.back:
            if not (read_objects(name) if change == NO_OBJECTS else has_key(asked, change.partition("=")[0])):
                raise UsageError(
                    f"the profile has no {change.partition('=')[0]} that could be reset",
                    where=f"{path}, {setting}",
                    remedy="name a key of the profile",
                )
    return found


def has_key(asked: Json, key: str) -> bool:
    """Return whether a document has this key; `members.` stands for every member."""
    first, *rest = key.split(".")
    roots = asked.get("members", []) if first == "members" else [asked.get(first)]
    for part in rest:
        roots = [root.get(part) if isinstance(root, dict) else None for root in roots]
    return bool(rest and roots) and None not in roots


def prepare_lab(profile: str, shape: Shape, changes: Sequence[str] = (), *, kwok: bool = True) -> Wanted:
    """Return the lab of a trial: that of the profile, with two members of the shape's nodes, and with these changes.

    A change is `karmada.components.karmada-scheduler.flags.kube-api-qps=100`. `members.` changes both members; an empty value removes the
    key, and null drops a flag that a member has by default; `objects=` is for `read_objects`. Without `kwok` the members have no nodes yet.
    """
    path = find_profile(profile)
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
        if change != NO_OBJECTS:
            apply_change(asked, change)
    return prepare(asked, source=str(path))


def apply_change(asked: Json, change: str) -> None:
    """Apply one change to a document. Raise UsageError when it is not KEY=VALUE, or its key is no place in the document."""
    key, equals, value = change.partition("=")
    first, *rest = key.split(".")
    if not equals or not rest:
        raise UsageError(f"not a change: {change!r}", remedy="as in --set karmada.components.karmada-scheduler.flags.kube-api-qps=100")
    for root in asked["members"] if first == "members" else [asked.setdefault(first, {})]:
        place = root
        for part in rest[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise UsageError(f"{part!r} is not a table", where=f"--set {change}", remedy="name a key of a table")
        if value:
            gates = {"true": True, "false": False} if "feature_gates" in rest else {"null": None}
            place[rest[-1]] = gates.get(value, value)
        else:
            place.pop(rest[-1], None)


def list_disabled_switches(karmada: KarmadaSpec) -> list[str]:
    """Return the failover switches that are off in a spec, as the settings to add. If one is off, nothing moves."""
    manager, webhook = extra_args(karmada, MANAGER), extra_args(karmada, WEBHOOK)
    gates = gates_of(manager.get(GATES, ""))
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


def check_failover_switches(karmada: KarmadaSpec, *, without_failover: bool) -> None:
    """Raise UsageError when failover is off although it is measured, or on although --without-failover is given."""
    off = list_disabled_switches(karmada)
    if off and not without_failover:
        raise UsageError(
            "failover is off in this profile: nothing would move",
            detail="\n".join(off),
            remedy="set these, or measure exactly that with --without-failover",
        )
    if without_failover and not off:
        raise UsageError("failover is on in this profile", remedy="leave --without-failover away, or switch it off with --set")
