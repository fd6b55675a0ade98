"""`lab unjoin`: remove members from the lab's Karmada."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

from deployers.commands.join import Names
from deployers.karmada import Karmada
from deployers.members import registry as joined
from deployers.members.added import drop_member
from deployers.up.join_steps import unjoin_member
from lab.cli.options import DEFAULT_LAB, LabName, option
from lab.cluster import Lab
from lab.run import Run
from lab.steps import Step, execute
from lab.terminal.text import say, seconds_text

Force = Annotated[bool, option("--force", help="Remove a member that does not answer; Karmada's objects stay on it.")]


def unjoin(members: Names, lab: LabName = DEFAULT_LAB, force: Force = False) -> None:
    """Remove members from the lab's Karmada.

    Push or pull; returns when nothing of Karmada is left on either side.
    """
    run = Run.load(lab)
    handle = Lab.open(run)
    karmada = Karmada.open(handle)
    clusters = [handle.member(name) for name in dict.fromkeys(members)]
    known = joined.list_members(karmada)
    began = time.monotonic()
    steps = [
        Step(f"{cluster.name}/unjoin", partial(unjoin_member, karmada, cluster, known[cluster.name].mode, force=force))
        for cluster in clusters
        if cluster.name in known
    ]
    execute(steps, run)
    for cluster in clusters:
        if drop_member(Karmada.open(Lab.open(Run.load(lab))), cluster):
            say(f"{cluster.name} is restored to its former state and no longer belongs to lab {lab}")
    for cluster in clusters:
        if cluster.name not in known:
            say(f"{cluster.name} was not joined: nothing to do")
    if gone := [cluster.name for cluster in clusters if cluster.name in known]:
        say(f"{', '.join(gone)} removed from Karmada after {seconds_text(time.monotonic() - began)}")
