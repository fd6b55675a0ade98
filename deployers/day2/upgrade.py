"""Upgrade a running Karmada to another release: as a whole or one component at a time, and roll back.

This module decides which releases can follow each other; a deployer that can upgrade implements `upgrade`. The run records the upgrade
before anything changes, and its progress after each component, so that an interrupted upgrade, or one of single components, continues
where it stopped. The lab has the new release only when all components have it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.take import back_up
from deployers.checks import description
from deployers.deployer import get_deployer
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from deployers.plane.rollout import AT
from deployers.release import Release
from deployers.spec import KarmadaSpec
from lab.assets import AssetRef
from lab.assets.refs import version_key
from lab.errors import LabError, NotPossible, UsageError
from lab.hints import command
from lab.steps import Step, StepObserver, execute

WHAT = "an upgrade"
CANNOT: Mapping[str, str] = {
    "by_karmadactl": "karmadactl init has no upgrade: it ends where its port is taken, and leaves CRDs that are there (upstream's #4487)",
    "by_command": "an installer of the user's is a command that installs and one that removes; how it upgrades is its own matter",
}
"""The reason why a deployer cannot upgrade."""


@runtime_checkable
class CanUpgrade(Protocol):
    """**Protocol:** a deployer that can put another release in the place of one that runs.

    `upgrade` computes steps and acts on nothing, as `install` does: one a component, in the order in which they have to be, each
    needing the one before. `spec` is what is wanted afterwards; with `back` it is an earlier release.
    """

    def upgrade(self, karmada: Karmada, spec: KarmadaSpec, software: Mapping[str, Path], *, back: bool) -> list[Step]: ...


@dataclass(frozen=True)
class UpgradeResult:
    """What an upgrade did: which components now, which are still to do, and how long it took."""

    karmada: Karmada
    before: str
    release: str
    done: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float
    backup: Path | None = None
    """The backup taken before, if possible; `lab restore` returns to it until the upgrade is complete."""


def upgrade(
    karmada: Karmada, release: str, *, only: str | None = None, rollback: bool = False, watcher: StepObserver | None = None
) -> UpgradeResult:
    """Upgrade a running Karmada to another release; return when all of it, or the requested component, serves.

    UsageError, with nothing touched: there is no such release, it skips a minor, it is earlier and no rollback was asked for, or the
    component is not the next one. NotPossible: this deployer cannot, and why. Of the release already, nothing is done.
    """
    began = time.monotonic()
    made = get_deployer(karmada.spec.deployer)
    if not isinstance(made, CanUpgrade):
        raise NotPossible(
            f"a Karmada that was installed by {karmada.spec.deployer} cannot be upgraded in place",
            where=CANNOT.get(karmada.spec.deployer, "its deployer has no upgrade"),
            remedy="back it up by its own tools, install the new release in a new lab; or use by_binary",
        )
    here, wanted = karmada.release, Release.parse(release, supply=karmada.release.supply)
    known = pending_operation.facts_of(karmada.run, WHAT)
    if known:
        require_same_upgrade(known, wanted.version, rollback=rollback, lab=karmada.run.id)
    else:
        pending_operation.require_none(karmada.run)
        require_supported_skew(here.version, wanted.version, rollback=rollback, lab=karmada.run.id)
        if here == wanted:
            return UpgradeResult(karmada, here.version, wanted.version, (), (), time.monotonic() - began)
    spec = KarmadaSpec.model_validate({**karmada.spec.model_dump(mode="json"), "release": release})
    refs = [AssetRef.parse(name) for name in made.software(spec)]
    software = {str(ref): path for ref, path in wanted.supply.resolve(refs).items()}
    steps = made.upgrade(karmada, spec, software, back=rollback)
    done = [] if known is None or known["back"] != rollback else list(known["done"])
    chosen = select_steps(steps, only, done)
    facts: dict[str, Any] = {"from": known["from"] if known else here.version, "to": wanted.version, "back": rollback, "done": done}
    again = command("upgrade", release, *(["--rollback"] if rollback else []), lab=karmada.run.id)
    if chosen:
        facts["backup"] = take_backup(karmada, known)
    with pending_operation.hold_pending(karmada.run, WHAT, again=again, **facts) as change, note_rollback(karmada, facts.get("backup")):
        execute([note_step(step, done, change) for step in chosen], karmada.run, watcher=watcher)
        left = tuple(step.name for step in steps if step.name not in done)
        if left:
            change.keep_pending()
        else:
            karmada = karmada.asking(spec)
            description.save(karmada)
            shutil.rmtree(karmada.run.path / "bin", ignore_errors=True)  # links to the clients of the release before
    kept = Path(facts["backup"]) if facts.get("backup") else None
    return UpgradeResult(
        karmada, str(facts["from"]), wanted.version, tuple(step.name for step in chosen), left, time.monotonic() - began, kept
    )


KEPT = 10
"""Backups before upgrades that stay in the run directory: one for each component of an upgrade that is done one by one."""


def take_backup(karmada: Karmada, known: Mapping[str, Any] | None) -> str | None:
    """Take a backup before the first replacement, and return its path; None for an external etcd.

    A resumed upgrade may find a plane that does not answer: then the backup from before the upgrade remains the way back.
    """
    if karmada.spec.etcd.external:
        return None
    folder = ArchiveFolder(karmada.run.folder("data", "backups"))
    try:
        return back_up(karmada, folder, keep=KEPT, during=WHAT).location
    except LabError:
        if known is None:
            raise
        return str(known["backup"]) if known.get("backup") else None


@contextmanager
def note_rollback(karmada: Karmada, backup: str | None) -> Iterator[None]:
    """Note on an error that passes how to go back to the backup."""
    try:
        yield
    except BaseException as error:
        if backup:
            error.add_note(rollback_hint(karmada.run.id, backup))
        raise


def rollback_hint(lab: str, backup: str | Path) -> str:
    """Return the remedy that abandons a partial upgrade."""
    return f"or go back to how it was before: {command('restore', str(backup), lab=lab)}"


def note_step(step: Step, done: list[str], change: pending_operation.PendingOperation) -> Step:
    """Return a step that records its completion."""

    def act(action: Callable[[], object] = step.action) -> None:
        action()
        done.append(step.name)
        change.note(done=done)

    needs = tuple(need for need in step.needs if need not in done)
    return replace(step, action=act, needs=needs)


def select_steps(steps: Sequence[Step], only: str | None, done: Sequence[str]) -> list[Step]:
    """Return the steps to run now: all remaining, or those of the requested component if they are next. UsageError if not. Pure.

    `only` names a component, on all machines that it runs on, or COMPONENT@MACHINE.
    """
    names = [step.name for step in steps]
    left = [step for step in steps if step.name not in done]
    if only is None:
        return left
    if not (wanted := [name for name in names if only in {name, name.partition(AT)[0]}]):
        raise UsageError(f"unknown component {only!r}", remedy=f"in this order: {', '.join(names)}")
    chosen = [step for step in left if step.name in wanted]
    if chosen and chosen[0].name != left[0].name:
        raise UsageError(
            f"{only} is not next: components are upgraded in an order in which each finds what it needs",
            where=f"done: {', '.join(done) or 'none'}",
            remedy=f"next is {left[0].name}; or leave --only out, for all of them",
        )
    return chosen


def require_supported_skew(here: str, wanted: str, *, rollback: bool, lab: str | None = None) -> None:
    """Return if one release may follow another. UsageError names a release that may. Pure."""
    one, other = version_key(here)[:3], version_key(wanted)[:3]
    if rollback and other > one:
        raise UsageError(f"{wanted} is later than {here}, so this is not a rollback", remedy=command("upgrade", wanted, lab=lab))
    if not rollback and other < one:
        raise UsageError(
            f"{wanted} is earlier than {here}, which runs",
            remedy=f"{command('upgrade', wanted, '--rollback', lab=lab)}   (components go back in reverse order; CRDs stay as they are)",
        )
    if one[0] != other[0] or abs(one[1] - other[1]) > 1:
        raise UsageError(
            f"from {here} to {wanted} skips a minor release: Karmada supports a skew of one, and the CRDs of each have to be stored once",
            remedy=f"go by way of {one[0]}.{one[1] + (1 if other > one else -1)}",
        )


def require_same_upgrade(known: Mapping[str, Any], wanted: str, *, rollback: bool, lab: str | None = None) -> None:
    """Return if this request completes or reverts the pending upgrade. UsageError names the request that would. Pure."""
    forward, back = known["to"] == wanted and known["back"] == rollback, rollback and wanted == known["from"] and not known["back"]
    if not forward and not back:
        raise UsageError(
            f"an upgrade from {known['from']} to {known['to']} is half done (done: {', '.join(known['done']) or 'none'})",
            remedy=known["again"] + ("" if known["back"] else f"   or back: {command('upgrade', known['from'], '--rollback', lab=lab)}"),
        )
