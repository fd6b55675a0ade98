"""`lab exec`: run one command in the environment of a lab."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from deployers.commands.tools import environment
from lab import hints
from lab.cli.options import DEFAULT_LAB, LabName
from lab.environment import list_misleading, restore_umask
from lab.errors import UsageError
from lab.run import Run

Command = Annotated[list[str], typer.Argument(metavar="-- COMMAND…", help="The command and its arguments, after --.")]


def execute(command: Command, lab: LabName = DEFAULT_LAB) -> None:
    """Run a command in the environment of a lab.

    Sets KUBECONFIG and puts the lab's kubectl and karmadactl first in PATH: lab exec -- kubectl get clusters.

    The rest of your environment is kept. The lab's clusters are reached without your proxies (NO_PROXY).

    The command replaces this process, so that its exit code, signals and terminal are its own.
    """
    changed = environment(Run.load(lab))
    env = {name: value for name, value in (os.environ | changed).items() if name not in list_misleading(os.environ)}
    sys.stdout.flush()
    restore_umask()
    try:
        os.execvpe(command[0], command, env)
    except OSError as error:
        raise UsageError(
            f"cannot run {command[0]}: {error.strerror}", remedy=hints.command("exec", "--", "kubectl", "get", "clusters", lab=lab)
        ) from error
