"""Remove the containers of a run with their volumes, beside a guard (`lab.docker.guard`) that may be removing them, too."""

from __future__ import annotations

from collections.abc import Callable, Collection

from lab.errors import CommandFailed, ProvisionError
from lab.hints import command
from lab.machines.machine import Machine
from lab.run import Run
from lab.wait import NotYet, until

WITHIN = 120.0
BY_GUARD = ("already in progress", "No such container")
"""What Docker's client prints about a container that is being removed, or has just been."""


def remove_containers(run: Run, engine: Machine, find: Callable[[], list[str]], *, recorded: Collection[str], what: str) -> None:
    """Remove the containers that `find` returns, until none is left or all were removed; twice is fine.

    ProvisionError, with the recorded names, when Docker does not answer; `what` names them in its text ("nodes").
    """

    def remove_found() -> None:
        if found := find():
            run.journal("delete", containers=found)
            try:
                engine.run(["docker", "rm", "--force", "--volumes", *found], within=WITHIN)
            except CommandFailed as failed:
                if any(text in failed.output for text in BY_GUARD):
                    raise NotYet(failed.output.strip()) from failed
                raise

    try:
        until(remove_found, what=f"the {what} of {run.id} are gone", within=WITHIN)
    except CommandFailed as failed:
        raise ProvisionError(
            f"deleting the {what} of {run.id} failed: Docker does not answer",
            where=", ".join(sorted(recorded)),
            detail=failed.output,
            remedy=f"start Docker, then: {command('down', lab=run.id)}",
        ) from failed
