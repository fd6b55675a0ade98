"""The operations, each by the deployers as the commands of `lab` call them: there is no second way of installing.

An operation may be done again after any interruption; what it has done already it leaves alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import Any

from deployers.addons import change as addons
from deployers.day2.change_settings import change_settings
from deployers.day2.renew_certificates import renew_all
from deployers.day2.upgrade import upgrade
from deployers.karmada import Karmada
from deployers.members.added import add_member, drop_member
from deployers.members.footprint import list_cluster_needs
from deployers.members.registry import list_members
from deployers.operator.plan import Operation
from deployers.plane.rollout import ORDER
from deployers.release import make_supply
from deployers.spec import KarmadaSpec
from deployers.up.bring_up import bring_up
from deployers.up.join_steps import join_member, unjoin_member
from deployers.wanted import Wanted, prepare
from lab.cluster import Cluster, Lab
from lab.errors import LabError, NotPossible, UsageError
from lab.existing.preflight import examine_clusters
from lab.existing.record import ExistingRecord, list_existing
from lab.run import Run
from lab.spec import parse
from lab.steps import StepObserver
from lab.supervisor.client import Supervisor
from lab.take_down import take_down

Json = dict[str, Any]
LABEL = "lab operator"


@dataclass(frozen=True)
class Task:
    """An operation on a lab. `most`: members at once; `force`: members to remove although they do not answer; `days`: see Renew."""

    lab: str
    operation: Operation
    most: int = 10
    force: tuple[str, ...] = ()
    renew_before: float = 2_592_000.0

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Task:
        """Return the task that a document describes."""
        operation = {**document["operation"], "members": tuple(document["operation"].get("members", ()))}
        return cls(
            document["lab"],
            Operation(**operation),
            int(document.get("most", 10)),
            tuple(document.get("force", ())),
            float(document.get("renew_before", 2_592_000.0)),
        )


@dataclass
class Outcomes:
    """What became of each member; {} of one for success. Filled from several threads."""

    found: Json = field(default_factory=dict)

    def note(self, member: str, error: LabError | None) -> None:
        self.found[member] = {} if error is None else {"reason": type(error).__name__, "message": describe(error)}


def describe(error: LabError) -> str:
    """Return an error as one line without the places of this computer."""
    detail = (error.detail or "").strip().splitlines()
    return "; ".join(filter(None, [error.what, detail[0] if detail else ""]))


def perform(task: Task, watcher: StepObserver) -> Json:
    """Do a task and return what became of members. LabError when the operation as a whole failed."""
    outcomes = Outcomes()
    ACTIONS[task.operation.kind](task, outcomes, watcher)
    return {"members": outcomes.found}


def install(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:
    """Install Karmada and join the members that can be reached; the others join later, one by one."""
    run = open_run(task.lab)
    wanted = reopen(run.asked if run else task.operation.document)
    if run is None:
        wanted = leave_out(wanted, outcomes, lab=task.lab, chosen=task.operation.members)
    start_lab(task, wanted, watcher)


def start(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:  # noqa: ARG001 (every action takes the same)
    """Bring the lab up as it is recorded."""
    start_lab(task, reopen(require_run(task.lab).asked), watcher)


def start_lab(task: Task, wanted: Wanted, watcher: StepObserver) -> None:
    """Bring a lab up, and let it run on. Its members may leave it one by one, as ones that were added."""
    brought = bring_up(wanted, task.lab, supply=make_supply(), watcher=watcher, label=LABEL)
    for record in list_existing(brought.lab.run):
        if not record.added and record.name != wanted.lab.host.name:
            replace(record, added=True).write(brought.lab.run)
    brought.hold.release(keep=True)


def leave_out(wanted: Wanted, outcomes: Outcomes, *, lab: str, chosen: Sequence[str]) -> Wanted:
    """Return what is wanted without members that are not chosen or have a fault of their own, which is noted."""
    problems = examine_clusters(wanted.lab, list_cluster_needs(wanted.lab, wanted.karmada), lab=lab)
    for number, member in enumerate(wanted.lab.members):
        if member.name in chosen and (own := [each for each in problems if each.path.startswith(f"members[{number}]")]):
            outcomes.note(member.name, NotPossible(own[0].why))
    names = {name for name in chosen if name not in outcomes.found}
    asked = wanted.asked
    return reopen({key: {**asked[key], "members": [each for each in asked[key]["members"] if each["name"] in names]} for key in asked})


def reopen(asked: Json) -> Wanted:
    """Return what a run's document asks for."""
    return prepare({**asked["lab"], "karmada": asked["karmada"]}, source="the KarmadaDeployment")


def join(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:  # noqa: ARG001
    """Join members, each with an outcome of its own."""
    wanted = {each["name"]: each for each in task.operation.document["lab"]["members"]}
    adding = Lock()

    def join_one(name: str) -> None:
        member = wanted[name]
        with adding:  # each changes the document of the lab
            karmada = open_karmada(task.lab)
            if name not in {each.name for each in karmada.lab.spec.members}:
                karmada = add_member(karmada, name, kubeconfig=member["kubeconfig"], context=member["context"], mode=member["mode"])
        cluster = karmada.lab.member(name)
        join_member(karmada, cluster, member["mode"])
        addons.install_on_new_member(karmada, cluster)

    for_each_member(task, outcomes, join_one)


def unjoin(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:  # noqa: ARG001
    """Remove members, each with an outcome of its own, and release their clusters."""
    karmada = open_karmada(task.lab)
    known = list_members(karmada)
    dropping = Lock()

    def unjoin_one(name: str) -> None:
        cluster = next((each for each in karmada.lab.members if each.name == name), None)
        if cluster is None:
            return
        forced = name in task.force
        if name in known:
            unjoin_member(karmada, cluster, known[name].mode, force=forced)
        with dropping:
            drop(open_karmada(task.lab), cluster, forced=forced)

    for_each_member(task, outcomes, unjoin_one)


def drop(karmada: Karmada, cluster: Cluster, *, forced: bool) -> None:
    """Release a member that left. One that does not answer is forgotten where that is forced: its objects stay on it."""
    try:
        drop_member(karmada, cluster)
    except LabError:
        if not forced:
            raise
        karmada.run.forget("existing", cluster.name)
        asked = karmada.run.asked
        parts = {key: {**asked[key], "members": [each for each in asked[key]["members"] if each["name"] != cluster.name]} for key in asked}
        karmada.run.ask(parts)


def for_each_member(task: Task, outcomes: Outcomes, act: Callable[[str], None]) -> None:
    """Do something for each member of a task, several at once; a failure is the outcome of that member alone."""

    def attempt(name: str) -> None:
        try:
            act(name)
        except LabError as error:
            outcomes.note(name, error)
        else:
            outcomes.note(name, None)

    with ThreadPoolExecutor(task.most, thread_name_prefix="member") as pool:
        list(pool.map(attempt, task.operation.members))


def change(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:  # noqa: ARG001
    """Change settings of a running Karmada."""
    karmada = open_karmada(task.lab)
    members = karmada.run.asked["karmada"]["members"]
    document = {**task.operation.document["karmada"], "members": members}
    change_settings(karmada, parse(KarmadaSpec, document, source="the KarmadaDeployment"), watcher=watcher)


def upgrade_release(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:  # noqa: ARG001
    """Put another release in the place of the one that runs; stepwise, component by component up to `through`."""
    operation = task.operation
    if not operation.through:
        upgrade(open_karmada(task.lab), operation.release, rollback=operation.rollback, watcher=watcher)
        return
    for name in ORDER:
        karmada = open_karmada(task.lab)
        try:
            done = upgrade(karmada, operation.release, only=name, rollback=operation.rollback, watcher=watcher)
        except UsageError as error:
            if error.what.startswith("unknown component"):
                continue  # this control plane does not have it
            raise
        if name == operation.through or not done.left:
            return


def renew(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:  # noqa: ARG001
    """Renew certificates that end soon."""
    renew_all(open_karmada(task.lab), before=dt.timedelta(seconds=task.renew_before))


def change_addon(act: Callable[..., Karmada], task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:  # noqa: ARG001
    """Install or upgrade an addon of others."""
    (name,) = task.operation.members
    act(open_karmada(task.lab), name, task.operation.release, watcher=watcher)


def remove_addon(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:  # noqa: ARG001
    """Remove an addon of others."""
    (name,) = task.operation.members
    addons.remove(open_karmada(task.lab), name, watcher=watcher)


def remove(task: Task, outcomes: Outcomes, watcher: StepObserver) -> None:
    """Let members leave, then remove Karmada and everything of its lab. A member that does not answer stops it, unless it is forced."""
    run = open_run(task.lab)
    if run is None:
        return
    if Supervisor(run.path).alive() and any(event["event"] == "up" for event in run.events()):
        names = tuple(member.name for member in Lab.open(run).members)
        unjoin(replace(task, operation=replace(task.operation, members=names)), outcomes, watcher)
        if failed := {name: found for name, found in outcomes.found.items() if found}:
            name, found = next(iter(failed.items()))
            raise NotPossible(f"{len(failed)} of {len(names)} members could not leave; {name}: {found['message']}")
    for name in task.force:
        if (record := ExistingRecord.read(run, name)) is not None:
            run.forget("existing", record.name)
    take_down(require_run(task.lab))


def open_run(lab: str) -> Run | None:
    """Return a lab's run; None when there is none."""
    try:
        return Run.load(lab)
    except UsageError:
        return None


def require_run(lab: str) -> Run:
    """Return a lab's run. UsageError when there is none."""
    return Run.load(lab)


def open_karmada(lab: str) -> Karmada:
    """Return the Karmada of a lab, as its document is now."""
    return Karmada.open(Lab.open(Run.load(lab)))


ACTIONS: Mapping[str, Callable[[Task, Outcomes, StepObserver], None]] = {
    "Install": install,
    "Start": start,
    "Join": join,
    "Unjoin": unjoin,
    "Change": change,
    "Upgrade": upgrade_release,
    "Renew": renew,
    "InstallAddon": partial(change_addon, addons.install),
    "UpgradeAddon": partial(change_addon, addons.upgrade),
    "RemoveAddon": remove_addon,
    "Remove": remove,
}
