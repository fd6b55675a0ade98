"""Bring a lab up: clusters, Karmada, members joined. What `lab up` and the fixture `lab` both call.

One graph of steps holds all of it, so that Karmada's control plane starts beside the clusters and a member is joined as soon as
both ends answer. `prepare` validates and computes and creates nothing; `bring_up` acts.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deployers.addons import steps as addons
from deployers.checks import description
from deployers.deployer import Deployer, RunsInPods, get_deployer, runs_in_pods
from deployers.join_steps import joining_steps
from deployers.karmada import Karmada
from deployers.names import NAME, READY
from deployers.plane import pending_operation
from deployers.pods import workloads
from deployers.preflight import preflight_errors
from deployers.release import Release
from deployers.rules import RULES as KARMADA_RULES
from deployers.spec import KarmadaSpec, catalogue
from lab import component, environment, evidence, ports
from lab.assets import AssetRef, Sink, Supply, quiet
from lab.assets.progress import Progress
from lab.assets.resolve import Choice
from lab.cluster import Lab, merge_kubeconfigs
from lab.errors import LabError, UsageError
from lab.hints import command
from lab.images import Image
from lab.limits.files import Files
from lab.limits.oom import Kills, count_kills, explain_kill
from lab.lock import Holder, locked
from lab.near_names import Tables
from lab.preflight import Problem, check_fields, raise_problems
from lab.providers.provider import BuildsImages, Provider
from lab.providers.registry import get_provider
from lab.repair import repair
from lab.rules import RULES as LAB_RULES
from lab.run import Run, place
from lab.spec import DEFAULT, LabSpec, parse, read
from lab.steps import Step, Watcher, execute
from lab.supervisor.client import Hold, Supervisor
from lab.supervisor.limits import raise_soft_limits

Json = dict[str, Any]
Result = TypeVar("Result")
TABLES: Tables = {"": LabSpec, "karmada": KarmadaSpec}
"""The models of a lab file."""


@dataclass(frozen=True)
class Wanted:
    """A validated document: what to build, and who builds it. `karmada` is None for a lab of bare clusters."""

    lab: LabSpec
    karmada: KarmadaSpec | None
    provider: Provider
    deployer: Deployer | None

    @property
    def asked(self) -> Json:
        """The document with its defaults filled in, as a run directory keeps it."""
        return {
            "lab": self.lab.model_dump(mode="json"),
            "karmada": self.karmada.model_dump(mode="json") if self.karmada else None,
        }

    def software(self) -> list[AssetRef]:
        """Return every asset that this lab needs, and no other."""
        names = self.provider.software(self.lab)
        if self.deployer and self.karmada:
            names = [*names, *self.deployer.software(self.karmada), *addons.software(self.karmada)]
        return [AssetRef.parse(name) for name in dict.fromkeys(names)]

    def images(self) -> dict[str, list[Image]]:
        """Return the images that Karmada's pods ask for, by the cluster that they are loaded into; none where it is no pods."""
        own: object = self.deployer
        if self.karmada is None or not isinstance(own, RunsInPods):
            return {}
        version = Release.parse(self.karmada.release).version
        uses = own.images(self.karmada, version=version, host=self.lab.host.name)
        return {
            name: [use.image for use in uses if name in use.clusters] for name in sorted({name for use in uses for name in use.clusters})
        }

    def pull(self, supply: Supply, registry: str | None) -> None:
        """Bring the official images that this lab's are to be, by digest. What does not come is made here. Errors as `lab.images.pull`."""
        supply.bring_folders()
        if supply.pulls:
            from lab.images.pull import pull  # noqa: PLC0415 (an HTTP client, for who has images to pull)

            pull(self.all_images(), registry=registry, progress=supply.progress)

    def all_images(self) -> list[Image]:
        """Return the images of nodes and of Karmada's pods."""
        of_nodes = self.provider.images(self.lab) if isinstance(self.provider, BuildsImages) else []
        return [*of_nodes, *(image for group in self.images().values() for image in group)]

    def check(self, supply: Supply, *, lab: str = "", image_registry: str | None = None) -> None:
        """Run the preflight. UsageError when the spec is wrong, NotPossible when this computer cannot do it; each lists all faults."""
        raise_problems(preflight_errors(self, supply, lab=lab, image_registry=image_registry))


@dataclass(frozen=True)
class Brought:
    """What `bring_up` returns: the lab, Karmada on it, how long it took, and the hold that keeps it alive."""

    lab: Lab
    karmada: Karmada | None
    seconds: float
    changed: bool
    """False: every program of it ran already, and still does."""
    hold: Hold


def document(path: Path | None = None, **changes: Any) -> Json:
    """Return the document of a lab file (the default lab's when there is none) with the command line's words laid over it.

    `changes`: provider, kubernetes, members (a number), deployer, release; None leaves what the file says.
    """
    asked = read(path or DEFAULT)
    for key in ("provider", "kubernetes"):
        if changes.get(key) is not None:
            asked[key] = changes[key]
    for key in ("deployer", "release"):
        if changes.get(key) is not None and isinstance(table := asked.setdefault("karmada", {}), dict):
            table[key] = changes[key]
    members = asked.get("members", [])
    if (count := changes.get("members")) is not None and isinstance(members, list) and all(isinstance(member, dict) for member in members):
        template = members[0] if members else {}
        given = {member.get("name"): member for member in members}
        names = [f"member{number + 1}" for number in range(count)]
        asked["members"] = [given.get(name, {**template, "name": name}) for name in names]
    return asked


def prepare(asked: Json, *, source: str = "the lab file") -> Wanted:
    """Validate a document. UsageError lists every wrong key; nothing is created and nothing of this computer is looked at.

    Where the form is wrong, the rules of the preflight are applied to the rest, so that all faults are in one list.
    """
    rest = dict(asked)
    table = rest.pop("karmada", None)
    errors: list[UsageError] = []
    lab = collect(errors, lambda: parse(LabSpec, rest, source=source, tables=TABLES))
    if isinstance(table, dict):
        table = {**table, "members": table.get("members") or (attached(lab) if lab else [])}
    karmada = None
    if table is not None:
        karmada = collect(errors, lambda: parse(KarmadaSpec, table, source=source, prefix="karmada.", tables=TABLES))
    made = collect(errors, lambda: get_provider(lab.provider)) if lab else None
    own = collect(errors, lambda: get_deployer(karmada.deployer)) if karmada else None
    if lab and made and not errors:
        return Wanted(lab, karmada, made, own)
    lines = [line for error in errors for line in (error.detail or f"{error.what}; {error.remedy}").splitlines()]
    if all(error.detail for error in errors):
        lines += [str(problem) for problem in problems_of_rest(rest, table)]
    raise UsageError(errors[0].what, detail="\n".join(dict.fromkeys(lines)), where=errors[0].where, remedy=errors[0].remedy)


def collect(errors: list[UsageError], action: Callable[[], Result]) -> Result | None:
    """Return what an action returns, or None when it raises a UsageError, which is added to the others."""
    try:
        return action()
    except UsageError as error:
        errors.append(error)
        return None


def problems_of_rest(rest: Json, table: Any) -> list[Problem]:
    """Return what the rules find in a document of which parts are not valid."""
    lab, dropped = repair(LabSpec, rest)
    karmada, more = repair(KarmadaSpec, table) if isinstance(table, dict) else (None, [])
    wrong = (*dropped, *(f"karmada.{path}" for path in more))
    found = [*(check_fields(lab, LAB_RULES) if lab else []), *(check_fields(karmada, KARMADA_RULES, path="karmada") if karmada else [])]
    return [problem for problem in found if not problem.path.startswith(wrong)]


def attached(lab: LabSpec) -> list[Json]:
    """Return the members a Karmada on this lab has, as its own spec writes them."""
    return [{"name": member.name, "mode": member.mode} for member in lab.members if member.mode != "none"]


def steps(wanted: Wanted, run: Run, software: Mapping[AssetRef, Path]) -> list[Step]:
    """Return every step of bringing this lab up."""
    lab = Lab.open(run)
    paths = {str(ref): path for ref, path in software.items()}
    made = wanted.provider.create(lab, paths)
    if wanted.deployer and wanted.karmada:
        made += closed(Karmada(lab, wanted.karmada), wanted.deployer.install(lab, wanted.karmada, paths))
        made += joining_steps(lab, wanted.karmada, [step.name for step in made])
        made += addons.addon_steps(Karmada(lab, wanted.karmada), paths)
    return [*made, *component.steps([evidence.component(run)], run)]


def bring_up(
    wanted: Wanted,
    run_id: str,
    *,
    root: Path | None = None,
    source: Choice = "auto",
    offline: bool = False,
    bundle: Path | None = None,
    mirror: str | None = None,
    image_registry: str | None = None,
    watcher: Watcher | None = None,
    progress: Sink = quiet,
    label: str = "lab up",
    seed: Callable[[Karmada], object] | None = None,
) -> Brought:
    """Make it so, and return once every member is Ready. A lab of that id with the same spec is converged; with another, refused.

    `seed` is called before anything is started: it gives a Karmada that is new the data and keys of an earlier one.

    On failure or interrupt evidence is collected, then everything is stopped unless the lab ran before or somebody else holds it; the
    run directory stays for `lab down`. A process that is killed meanwhile leaves the rest to the supervisor's lease.
    """
    began, kills = time.monotonic(), count_kills(Files())
    raise_soft_limits()  # a connection to every program, and the commands of installers
    environment.set_umask()
    path = place(run_id, root)
    same_as_asked(wanted, path)
    offline = offline or bool(wanted.karmada and wanted.karmada.offline)
    supply = Supply(source=source, offline=offline, bundle=bundle, mirror=mirror, progress=progress, catalogue=catalogue())
    supervisor = Supervisor(path)
    if not supervisor.alive():  # one that runs has the memory it needs
        wanted.check(supply, lab=run_id, image_registry=image_registry)
    wanted.pull(supply, image_registry)
    software = supply.resolve(wanted.software())
    lock = locked(path, waiting=lambda holder, waited: progress(waiting_for(path.name, holder, waited)))
    try:
        same_as_asked(wanted, path)  # somebody may have been faster
        run = Run.load(run_id, root=root) if (path / "run.json").exists() else Run.create(run_id, wanted.asked, root=root)
        pending_operation.refuse(run)
        before = standing(run, supervisor)
        hold = supervisor.hold(label)
        with undone_on_failure(run, supervisor, hold, wanted.provider, kills):
            ports.replace_taken(run)
            if seed:
                seed(Karmada.open(Lab.open(run)))
            run.journal("begun", by=label)
            execute(steps(wanted, run, software), run, watcher=watcher)
            lab = Lab.open(run)
            karmada = Karmada.open(lab) if wanted.karmada else None
            merge_kubeconfigs(run, [*lab.clusters, *([karmada.cluster] if karmada else [])])
            run.journal("up", seconds=round(time.monotonic() - began, 3))
    finally:
        lock.release()
    return Brought(lab, karmada, time.monotonic() - began, standing(run, supervisor) != before, hold)


def waiting_for(lab: str, holder: Holder | None, waited: float) -> Progress:
    """Return the event of a wait for another command that changes the lab."""
    return Progress("waiting", f"lab {lab}", elapsed=waited, note=f"for {holder or 'another command'}, which changes it")


def same_as_asked(wanted: Wanted, path: Path) -> None:
    """Return when there is no such run yet, or one of the same spec. UsageError names the keys in which it differs."""
    if not (path / "run.json").exists():
        return
    run = Run.load(path.name, root=path.parent)
    if run.asked != wanted.asked:
        raise UsageError(
            f"lab {run.id} is there with another spec",
            where=f"{path}; it differs in {', '.join(differing(run.asked, wanted.asked))}",
            remedy=f"{command('down', lab=run.id)}, or give this one another name with --lab",
        )


def differing(one: Any, other: Any, at: str = "") -> list[str]:
    """Return the paths of the values in which two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [path for key in keys for path in differing(one.get(key), other.get(key), f"{at}.{key}" if at else key)]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [path for n, (a, b) in enumerate(zip(one, other, strict=True)) for path in differing(a, b, f"{at}[{n}]")]
    return [] if one == other else [at]


def closed(karmada: Karmada, made: Sequence[Step]) -> list[Step]:
    """Return the steps of an installation with the two that end every one: its description is saved, Karmada serves."""
    done = tuple(step.name for step in made)
    return [
        *made,
        Step(f"{NAME}/description", lambda: description.save_once(karmada), done, first=1),
        Step(READY, lambda: None, done),
    ]


@contextmanager
def undone_on_failure(run: Run, supervisor: Supervisor, hold: Hold, made_by: Provider, kills: Kills) -> Iterator[None]:
    """When the body raises: collect evidence, let go of the lab, and stop it unless somebody else holds or keeps it.

    What a provider made that cannot be stopped and brought again (its `keeps`) is deleted then.

    The error passes on with the evidence's path noted on it; one that follows from a program killed for lack of memory says that first.
    After an interrupt, somebody waits: evidence is what can be had at once.
    """
    try:
        yield
    except BaseException as raised:
        error = explain_kill(raised, Files(), kills, killed_programs(supervisor)) if isinstance(raised, LabError) else raised
        reason = type(error).__name__
        run.journal("failed", reason=reason, error=str(error))
        within = evidence.WITHIN if isinstance(error, Exception) else 2.0
        error.add_note(f"evidence: {evidence.collect(run, reason, within=within)}")
        if hold.release():
            supervisor.shutdown()
            if not made_by.keeps:
                try:
                    made_by.delete(run)
                except LabError as left:
                    error.add_note(str(left))
        if error is raised:
            raise
        raise error from raised


def killed_programs(supervisor: Supervisor) -> list[str]:
    """Return the programs whose last process was ended by a signal 9 that nobody asked for."""
    status = supervisor.status()
    found = status.programs.values() if status else ()
    return [state.name for state in found if state.status == -signal.SIGKILL and state.state != "stopped"]


def standing(run: Run, supervisor: Supervisor) -> dict[str, Any]:
    """Return what an `up` that changed nothing leaves as it was: each program's process, the state of each of Karmada's workloads."""
    status = supervisor.status()
    found: dict[str, Any] = {name: state.pid for name, state in status.programs.items()} if status else {}
    lab = Lab.open(run)
    if run.asked.get("karmada") and runs_in_pods(Karmada.open(lab)) and lab.host.kubeconfig.exists():
        with suppress(LabError):  # the host cluster is not up
            found |= {each.name: each.identity for each in workloads.workloads(lab.host.api)}
    return found
