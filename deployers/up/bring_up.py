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
from typing import Any

from deployers.addons import steps as addons
from deployers.checks import description
from deployers.deployer import ChecksMachines, runs_in_pods
from deployers.karmada import Karmada
from deployers.members.footprint import list_cluster_needs
from deployers.names import NAME, READY
from deployers.plane import pending_operation
from deployers.pods import workloads
from deployers.release import make_supply, open_supply, record_choices
from deployers.up.join_steps import join_steps
from deployers.up.preflight import list_cached, require, require_known_flags
from deployers.wanted import Wanted
from lab import component, environment, evidence, ports
from lab.assets import AssetRef, Supply
from lab.assets.progress import AssetProgress
from lab.cluster import Lab, merge_kubeconfigs
from lab.diagnosis.cause import Rank
from lab.diagnosis.diagnose import diagnose
from lab.diagnosis.explain import put_cause_first
from lab.errors import LabError, UsageError
from lab.existing.adopt import adopt_steps
from lab.hints import command
from lab.limits.files import Files
from lab.limits.oom import Kills, count_kills, explain_kill
from lab.lock import Holder, lock_run
from lab.machine_steps import make_machine_steps
from lab.providers.provider import Provider
from lab.run import Run, run_path
from lab.steps import Step, StepObserver, execute
from lab.supervisor.client import Hold, Supervisor
from lab.supervisor.limits import raise_soft_limits

Json = dict[str, Any]


@dataclass(frozen=True)
class Brought:
    """What `bring_up` returns: the lab, Karmada on it, how long it took, and the hold that keeps it alive."""

    lab: Lab
    karmada: Karmada | None
    seconds: float
    changed: bool
    """False: every program of it ran already, and still does."""
    hold: Hold


def machine_steps(wanted: Wanted, run: Run, software: Mapping[AssetRef, Path]) -> list[Step]:
    """Return the steps that make the lab's machines. The others are computed when these have passed: machines have addresses then."""
    return make_machine_steps(run, wanted.lab, {ref.name: path for ref, path in software.items()})


def check_steps(wanted: Wanted, run: Run, software: Mapping[AssetRef, Path], supply: Supply) -> list[Step]:
    """Return the steps that ask the lab's machines, which are there, whether Karmada can run on them."""
    own: object = wanted.deployer
    if wanted.karmada is None or not isinstance(own, ChecksMachines):
        return []
    karmada = Karmada(Lab.open(run), wanted.karmada, supply)
    return own.check_machines(karmada, {str(ref): path for ref, path in software.items()})


def steps(wanted: Wanted, run: Run, software: Mapping[AssetRef, Path], supply: Supply) -> list[Step]:
    """Return every step of bringing this lab up, its machines being there."""
    lab = Lab.open(run)
    paths = {str(ref): path for ref, path in software.items()}
    made = [*wanted.provider.create(lab, paths), *adopt_steps(lab, list_cluster_needs(wanted.lab, wanted.karmada))]
    if wanted.deployer and wanted.karmada:
        karmada = Karmada(lab, wanted.karmada, supply)
        made += with_closing_steps(karmada, wanted.deployer.install(karmada, paths))
        made += join_steps(karmada, [step.name for step in made])
        made += addons.addon_steps(karmada, paths)
    return [*made, *component.make_steps([evidence.watcher_component(run)], run)]


def bring_up(
    wanted: Wanted,
    run_id: str,
    *,
    root: Path | None = None,
    supply: Supply | None = None,
    watcher: StepObserver | None = None,
    label: str = "lab up",
    seed: Callable[[Lab], object] | None = None,
) -> Brought:
    """Make it so, and return once every member is Ready. A lab of that id with the same spec is converged; with another, refused.

    Assets come from `supply`, which is recorded for later commands of the lab; without one, as at the lab's last `up`.
    `seed` is called when the machines are there and nothing else is started: it gives a lab or a Karmada that is new the data and keys
    of an earlier one.

    On failure or interrupt evidence is collected, then everything is stopped unless the lab ran before or another process holds it; the
    run directory stays for `lab down`. A process that is killed meanwhile leaves the rest to the supervisor's lease.
    """
    began, kills = time.monotonic(), count_kills(Files())
    raise_soft_limits()  # a connection to every program, and the commands of installers
    environment.set_umask()
    path = run_path(run_id, root)
    require_same_spec(wanted, path)
    supply = supply or (open_supply(Run.load(run_id, root=root)) if (path / "run.json").exists() else make_supply())
    supervisor = Supervisor(path)
    asked: frozenset[AssetRef] = frozenset()
    if not supervisor.alive():  # one that runs has the memory it needs
        require(wanted, supply, lab=run_id)
        asked = list_cached(wanted, supply)
    wanted.pull(supply)
    software = supply.resolve(wanted.software())
    require_known_flags(wanted, supply, asked=asked)
    lock = lock_run(path, waiting=lambda holder, waited: supply.progress(waiting_for(path.name, holder, waited)))
    try:
        require_same_spec(wanted, path)  # another process may have been faster
        run = Run.load(run_id, root=root) if (path / "run.json").exists() else Run.create(run_id, wanted.asked, root=root)
        pending_operation.require_none(run)
        before = program_pids(run, supervisor)
        hold = supervisor.hold(label)
        with undo_on_failure(run, supervisor, hold, wanted.provider, kills):
            record_choices(run, supply)
            ports.replace_taken_ports(run)
            run.journal("begun", by=label)
            if machines := machine_steps(wanted, run, software):
                execute(machines, run, watcher=watcher)
                execute(check_steps(wanted, run, software, supply), run, watcher=watcher)
            if seed:
                seed(Lab.open(run))
            execute(steps(wanted, run, software, supply), run, watcher=watcher)
            lab = Lab.open(run)
            karmada = Karmada.open(lab) if wanted.karmada else None
            merge_kubeconfigs(run, [*lab.clusters, *([karmada.cluster] if karmada else [])])
            run.journal("up", seconds=round(time.monotonic() - began, 3))
    finally:
        lock.release()
    return Brought(lab, karmada, time.monotonic() - began, program_pids(run, supervisor) != before, hold)


def waiting_for(lab: str, holder: Holder | None, waited: float) -> AssetProgress:
    """Return the event of a wait for another command that changes the lab."""
    return AssetProgress("waiting", f"lab {lab}", elapsed=waited, note=f"for {holder or 'another command'}, which changes it")


def require_same_spec(wanted: Wanted, path: Path) -> None:
    """Return if the run does not exist yet or has the same spec. UsageError names the differing keys."""
    if not (path / "run.json").exists():
        return
    run = Run.load(path.name, root=path.parent)
    if run.asked != wanted.asked:
        raise UsageError(
            f"lab {run.id} exists with another spec",
            where=f"{path}; it differs in {', '.join(differences(run.asked, wanted.asked))}",
            remedy=f"{command('down', lab=run.id)}, or give this one another name with --lab",
        )


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Return the paths of the values in which two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [path for key in keys for path in differences(one.get(key), other.get(key), f"{at}.{key}" if at else key)]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [path for n, (a, b) in enumerate(zip(one, other, strict=True)) for path in differences(a, b, f"{at}[{n}]")]
    return [] if one == other else [at]


def with_closing_steps(karmada: Karmada, made: Sequence[Step]) -> list[Step]:
    """Return the steps of an installation with the two that end every one: its description is saved, Karmada serves."""
    done = tuple(step.name for step in made)
    return [
        *made,
        Step(f"{NAME}/description", lambda: description.save_once(karmada), done, priority=1),
        Step(READY, lambda: None, done),
    ]


@contextmanager
def undo_on_failure(run: Run, supervisor: Supervisor, hold: Hold, made_by: Provider, kills: Kills) -> Iterator[None]:
    """When the body raises: collect evidence, release the lab, and stop it unless another process holds or keeps it.

    What a provider made that cannot be stopped and brought again (its `keeps`) is deleted then.

    The error passes on with the evidence's path noted on it; one that follows from a program killed for lack of memory says that first.
    After an interrupt a user waits, so only quick evidence is collected.
    """
    try:
        yield
    except BaseException as raised:
        error = explain_kill(raised, Files(), kills, killed_programs(supervisor)) if isinstance(raised, LabError) else raised
        if isinstance(error, LabError):
            put_cause_first(
                error, [cause for cause in diagnose(run).causes if cause.rank not in {Rank.SERVER, Rank.CLUSTER}]
            )  # some do not exist yet
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
    """Return the programs that were killed by an unrequested SIGKILL."""
    status = supervisor.status()
    found = status.programs.values() if status else ()
    return [state.name for state in found if state.status == -signal.SIGKILL and state.state != "stopped"]


def program_pids(run: Run, supervisor: Supervisor) -> dict[str, Any]:
    """Return what an `up` that changed nothing leaves as it was: each program's process, the state of each of Karmada's workloads."""
    status = supervisor.status()
    found: dict[str, Any] = {name: state.pid for name, state in status.programs.items()} if status else {}
    lab = Lab.open(run)
    if run.asked.get("karmada") and runs_in_pods(Karmada.open(lab)) and lab.host.kubeconfig.exists():
        with suppress(LabError):  # the host cluster is not up
            found |= {each.name: each.identity for each in workloads.workloads(lab.host.api)}
    return found
