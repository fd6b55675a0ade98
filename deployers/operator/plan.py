"""The operations that lead from what runs to what is wanted: computed from the difference of two documents, one after the other. Pure.

Only the first operation of a plan is run; then what runs is observed again and planned again. So a spec that is changed meanwhile, a killed
operator and an operation that failed in part need no treatment of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployers.day2.renew_certificates import WHAT as RENEWAL
from deployers.day2.upgrade import WHAT as UPGRADE
from deployers.operator.deployment import KarmadaDeploymentSpec

Json = dict[str, Any]
CHANGE = "a change of settings"
"""What `deployers.day2.change_settings` records while it is pending."""
CHANGEABLE = frozenset({"components", "addons", "profile", "by_binary"})
"""Keys of the table `karmada` that can be changed while Karmada runs, besides the release and the members."""
IRRELEVANT = frozenset({"members", "release"})
"""Keys of the table `karmada` that operations of their own change."""


@dataclass(frozen=True)
class Observed:
    """What is there: the document of the lab (None without one), whether it was complete once and runs, and who is registered.

    `pending` is the record of a change that was begun and has not ended; `expiring`: certificates have to be renewed.
    """

    asked: Json | None = None
    complete: bool = False
    alive: bool = False
    pending: Mapping[str, Any] | None = None
    registered: Mapping[str, str] = field(default_factory=dict)
    """The mode of each registered member, by name."""
    leaving: frozenset[str] = frozenset()
    expiring: bool = False


@dataclass(frozen=True)
class Operation:
    """One thing to do. `document` is the lab's document afterwards; the rest is what the kind of operation needs."""

    kind: str
    why: str
    document: Json = field(default_factory=dict)
    members: tuple[str, ...] = ()
    release: str = ""
    rollback: bool = False
    through: str = ""


@dataclass(frozen=True)
class OperationPlan:
    """Operations in their order, and what of the spec cannot be reached from what runs, a sentence each."""

    operations: tuple[Operation, ...] = ()
    refused: tuple[str, ...] = ()


def make_plan(spec: KarmadaDeploymentSpec, wanted: Json, seen: Observed) -> OperationPlan:
    """Return the operations from what is observed to the wanted document, defaults filled in in both."""
    if seen.asked is None:
        return OperationPlan((Operation("Install", "nothing is installed yet", wanted),))
    if not seen.complete:
        return plan_installation(wanted, seen.asked)
    if not seen.alive:
        return OperationPlan((Operation("Start", "its programs do not run", seen.asked),))
    if refused := list_refused(seen.asked, wanted):
        return OperationPlan(refused=tuple(refused))
    if seen.pending and (operation := resume(spec, wanted, seen.asked, seen.pending)):
        return OperationPlan((operation,))
    return OperationPlan(tuple(list_operations(spec, wanted, seen)))


def plan_installation(wanted: Json, asked: Json) -> OperationPlan:
    """Return how an installation that has not ended goes on: with another spec it begins again, since nothing serves yet."""
    if without_members(asked) == without_members(wanted):
        return OperationPlan((Operation("Install", "the installation has not ended", asked),))
    return OperationPlan((Operation("Remove", "the spec changed before the installation ended", asked), Operation("Install", "", wanted)))


def without_members(document: Json) -> Json:
    """Return a document without its members: they join and leave by themselves."""
    return {key: {name: value for name, value in document[key].items() if name != "members"} for key in ("lab", "karmada")}


def list_refused(asked: Json, wanted: Json) -> list[str]:
    """Return a sentence for each difference that no operation can bring about on a Karmada that runs."""
    fixed = CHANGEABLE | IRRELEVANT | {"certificates"}
    found = [
        f"{key} cannot be changed on a Karmada that is installed: it has {asked['karmada'].get(key)!r}"
        for key in sorted(wanted["karmada"].keys() | asked["karmada"].keys())
        if key not in fixed and asked["karmada"].get(key) != wanted["karmada"].get(key)
    ]
    here, there = asked["karmada"]["certificates"], wanted["karmada"]["certificates"]
    found += [f"certificates.{key} cannot be changed on a Karmada that is installed" for key in ("ca", "hosts") if here[key] != there[key]]
    own, other = asked["karmada"]["by_binary"], wanted["karmada"]["by_binary"]
    found += [
        f"by_binary.{key} cannot be changed on a Karmada that is installed" for key in own if key != "files" and own[key] != other[key]
    ]
    if asked["lab"].get("machines") != wanted["lab"].get("machines"):
        found.append("machines cannot be changed on a Karmada that is installed")
    return found


def resume(spec: KarmadaDeploymentSpec, wanted: Json, asked: Json, pending: Mapping[str, Any]) -> Operation | None:
    """Return the operation that completes a pending change; None when the plan of differences does so."""
    if pending["what"] == UPGRADE:
        if waits_for_spec(spec, wanted, pending):
            return None
        return plan_upgrade(spec, wanted, str(pending["from"]), pending)
    if pending["what"] == RENEWAL:
        return Operation("Renew", "a renewal of certificates has not ended", asked)
    if pending["what"] == CHANGE:
        return Operation("Change", "a change of settings has not ended", with_settings(asked, wanted))
    return None


def waits_for_spec(spec: KarmadaDeploymentSpec, wanted: Json, pending: Mapping[str, Any]) -> bool:
    """Return whether a stepwise upgrade is as far as the spec wants it."""
    policy = spec.upgrade
    stepwise = policy is not None and policy.policy == "Stepwise"
    same = wanted["karmada"]["release"] == pending["to"]
    return bool(stepwise and policy and same and not pending["back"] and (policy.through is None or policy.through in pending["done"]))


def plan_upgrade(spec: KarmadaDeploymentSpec, wanted: Json, here: str, pending: Mapping[str, Any] | None = None) -> Operation:
    """Return the upgrade to the wanted release; back to the release before where the spec went back in the middle of one."""
    release, policy = wanted["karmada"]["release"], spec.upgrade
    through = (policy.through or "") if policy and policy.policy == "Stepwise" else ""
    back = bool(policy and policy.allow_rollback and version_parts(release) < version_parts(here))
    if pending:
        back = release == pending["from"] or bool(pending["back"] and release == pending["to"])
    return Operation("Upgrade", f"from {here} to {release}", wanted, release=release, rollback=back, through="" if back else through)


def version_parts(version: str) -> tuple[int, ...]:
    """Return the numbers of a version for comparison."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())


def list_operations(spec: KarmadaDeploymentSpec, wanted: Json, seen: Observed) -> list[Operation]:
    """Return the operations of a Karmada that runs and has no pending change, in the order in which they are safe.

    Members leave first, with the settings that they joined with; a release takes effect before settings that only it may know; members join
    last, into what is wanted.
    """
    assert seen.asked is not None
    asked = seen.asked
    found: list[Operation] = []
    here, there = members_of(asked), members_of(wanted)
    gone = [name for name in here if here[name] != there.get(name)] + [name for name in seen.leaving if name not in here]
    if gone:
        found.append(Operation("Unjoin", f"{', '.join(gone)} left the spec", asked, members=tuple(dict.fromkeys(gone))))
    if asked["karmada"]["release"] != wanted["karmada"]["release"] and not seen.pending:
        found.append(plan_upgrade(spec, wanted, asked["karmada"]["release"]))
    if seen.pending:
        return found
    if without_members(with_settings(asked, wanted)) != without_members(asked):
        found.append(Operation("Change", "settings differ", with_settings(asked, wanted)))
    found += plan_addons(asked, wanted)
    if seen.expiring:
        found.append(Operation("Renew", "certificates expire", asked))
    missing = [name for name in there if name not in gone and (name not in here or name not in seen.registered)]
    if missing:
        found.append(Operation("Join", f"{', '.join(missing)} joined the spec", wanted, members=tuple(missing)))
    return found


def members_of(document: Json) -> dict[str, Json]:
    """Return the members of a document by name."""
    return {member["name"]: member for member in document["lab"]["members"] if member["mode"] != "none"}


def with_settings(asked: Json, wanted: Json) -> Json:
    """Return what runs with the settings that are wanted: not the release, members and addons of others, which change by themselves."""
    own, other = asked["karmada"], wanted["karmada"]
    addons = {**other["addons"], "others": own["addons"]["others"]}
    certificates = {**own["certificates"], "days": other["certificates"]["days"]}
    changed = {key: other[key] for key in CHANGEABLE if key in other}
    return {**asked, "karmada": {**own, **changed, "addons": addons, "certificates": certificates}}


def plan_addons(asked: Json, wanted: Json) -> list[Operation]:
    """Return one operation for each addon of others that is to be installed, upgraded or removed."""
    here, there = asked["karmada"]["addons"]["others"], wanted["karmada"]["addons"]["others"]
    gone = [Operation("RemoveAddon", f"{name} left the spec", asked, members=(name,)) for name in here if name not in there]
    new = [
        Operation("InstallAddon" if name not in here else "UpgradeAddon", f"{name} {version}", asked, members=(name,), release=version)
        for name, version in there.items()
        if here.get(name) != version
    ]
    return [*gone, *new]
