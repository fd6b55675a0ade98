"""Take a lab down, for `lab down` and the end of a test run: from the run directory alone, after any crash."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab import ledger, ports
from lab.docker_engine import find_engine
from lab.errors import LeakError, NotPossible, ProvisionError
from lab.existing.release import release_all
from lab.factories.delete import delete_machines
from lab.factories.release import describe_unreached, release_machines
from lab.hints import command
from lab.lock import WaitReport, ignore_wait
from lab.providers.registry import get_provider
from lab.run import Run
from lab.supervisor.client import Supervisor

GRACE = 2.0
"""Seconds that programs get to end by themselves when their data is kept."""


@dataclass(frozen=True)
class TakeDownResult:
    """The result: how many programs ran, and whether the run directory was kept."""

    programs: int
    kept: bool
    unreached: tuple[str, ...] = ()
    """A line for each machine that was not reached: its programs end only with their lease."""


def take_down(run: Run, *, keep: bool = False, within: float = 600.0, waiting: WaitReport = ignore_wait) -> TakeDownResult:
    """End every process of a run, free its ports and delete its directory; with `keep`, keep directory and ports for the next `up`.

    Waits at most `within` seconds for another command that changes the lab, and calls `waiting` meanwhile. Idempotent.
    LeakError names leftovers; NotPossible for `keep` with a provider that cannot stop a lab.
    """
    made_by = get_provider(run.asked["lab"]["provider"])
    if keep and not made_by.keeps:
        raise NotPossible(
            f"a lab of provider {run.asked['lab']['provider']} cannot be stopped and started again",
            where=str(run.path),
            remedy=f"{command('down', lab=run.id)}, and {command('up', lab=run.id)} when it is needed: images and programs stay cached",
        )
    lock = run.lock(within=within, waiting=waiting)
    if not (run.path / "run.json").exists():  # the other command has taken it down
        lock.release()
        Path(f"{run.path}.lock").unlink(missing_ok=True)
        return TakeDownResult(0, kept=False)
    try:
        supervisor = Supervisor(run.path)
        status = None
        with suppress(ProvisionError):  # one that does not answer is killed, with its programs
            status = supervisor.status()
        running = sum(state.runs for state in status.programs.values()) if status else 0
        run.journal("down", keep=keep)
        unreached = tuple(describe_unreached(release_machines(run, keep=keep)))  # through machines that are programs themselves
        supervisor.shutdown(within=GRACE if keep else 0.0)  # what is deleted in a moment need not end in order
        made_by.delete(run)
        if not keep:
            try:
                release_all(run)
            finally:
                delete_machines(run)
        engine = find_engine(run.path)
        if not keep:
            ports.release(run.path)
            run.remove()
        left = ledger.list_leftovers(run.path, kept=keep, engine=engine)
        if left:
            raise LeakError(
                f"removing lab {run.id} failed: it has leftovers", detail="\n".join(left), remedy=command("gc", "--lab", run.id)
            )
    finally:
        lock.release()
    return TakeDownResult(running, keep, unreached)
