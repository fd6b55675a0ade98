"""`lab join`: a cluster of the lab becomes a member of its Karmada."""

from __future__ import annotations

import time
from enum import Enum
from typing import Annotated

import typer

from lab.commands import complete
from lab.commands.options import DEFAULT_LAB, LabName, option
from lab.console import say, seconds_text
from lab.run import Run

Names = Annotated[list[str], typer.Argument(metavar="MEMBER…", help="Member clusters of this lab.", autocompletion=complete.members)]


class Mode(str, Enum):
    """Who reaches whom."""

    push = "push"
    pull = "pull"


ModeOption = Annotated[Mode, option("--mode", help="push: Karmada reaches the member; pull: an agent beside the member reaches Karmada.")]


def join(members: Names, lab: LabName = DEFAULT_LAB, mode: ModeOption = Mode.push) -> None:
    """Join members to the lab's Karmada.

    Side by side; returns when all are Ready. One that is joined so already is left alone.
    """
    from deployers.join import join as push
    from deployers.karmada import Karmada
    from deployers.register import register as pull
    from lab.cluster import Lab
    from lab.steps import Step, execute

    run = Run.load(lab)
    handle = Lab.open(run)
    karmada = Karmada.open(handle)
    clusters = [handle.member(name) for name in dict.fromkeys(members)]
    began = time.monotonic()
    act = push if mode is Mode.push else pull
    execute([Step(f"{cluster.name}/join", lambda cluster=cluster: act(karmada, cluster)) for cluster in clusters], run)  # type: ignore[misc]
    say(f"{', '.join(cluster.name for cluster in clusters)} joined by {mode.value} after {seconds_text(time.monotonic() - began)}")
