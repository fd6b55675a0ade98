"""`lab join`: join clusters of the lab to its Karmada as members."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Annotated

import typer

from lab.cli import complete
from lab.cli.options import DEFAULT_LAB, LabName, option
from lab.errors import UsageError
from lab.hints import command
from lab.run import Run
from lab.terminal.text import say, seconds_text

Names = Annotated[
    list[str], typer.Argument(metavar="MEMBER…", help="Member clusters of this lab.", autocompletion=complete.complete_members)
]


class JoinMode(str, Enum):
    """How a member is joined."""

    push = "push"
    pull = "pull"


ModeOption = Annotated[
    JoinMode | None,
    option(
        "--mode",
        help="push: Karmada connects to the member; pull: an agent of the member connects to Karmada. Default: as in the lab file.",
    ),
]


def join(members: Names, lab: LabName = DEFAULT_LAB, mode: ModeOption = None) -> None:
    """Join members to the lab's Karmada.

    All at once; returns when all are Ready and have the installed addons. A member that is joined already is left alone.
    """
    from deployers.addons.change import install_on_new_member
    from deployers.join_steps import join_member
    from deployers.karmada import Karmada
    from deployers.members.registry import list_members as registered
    from lab.cluster import Lab
    from lab.steps import Step, execute

    run = Run.load(lab)
    handle = Lab.open(run)
    karmada = Karmada.open(handle)
    clusters = [handle.member(name) for name in dict.fromkeys(members)]
    declared = {member.name: member.mode for member in handle.spec.members}
    modes = {cluster.name: mode_of(cluster.name, declared[cluster.name], mode, lab=lab) for cluster in clusters}
    known = registered(karmada)
    before = [name for name, chosen in modes.items() if name in known and known[name].mode == chosen.value and not known[name].leaving]
    began = time.monotonic()
    steps = [Step(f"{cluster.name}/join", partial(join_member, karmada, cluster, modes[cluster.name].value)) for cluster in clusters]
    steps += [
        Step(f"{cluster.name}/addons", partial(install_on_new_member, karmada, cluster), (f"{cluster.name}/join",)) for cluster in clusters
    ]
    execute(steps, run)
    for line in outcome({name: chosen.value for name, chosen in modes.items()}, before, time.monotonic() - began):
        say(line)


def outcome(modes: Mapping[str, str], before: Sequence[str], seconds: float) -> list[str]:
    """Return one line for each member that was joined before, and one for those that were joined now."""
    lines = [f"{name} is joined already by {modes[name]}: nothing changed" for name in before]
    if new := [f"{name} by {mode}" for name, mode in modes.items() if name not in before]:
        lines.append(f"joined {', '.join(new)} after {seconds_text(seconds)}")
    return lines


def mode_of(name: str, declared: str, wanted: JoinMode | None, *, lab: str | None = None) -> JoinMode:
    """Return the mode in which to join a member. UsageError when the lab file has another mode: the next `lab up` would fail."""
    if declared == "none":
        return wanted or JoinMode.push
    if wanted is not None and wanted.value != declared:
        raise UsageError(
            f"the lab file joins {name} by {declared}, not by {wanted.value}",
            remedy=f'{command("join", name, lab=lab)}   (by {declared}); or set mode = "none" in the lab file '
            "and join it in either mode by hand",
        )
    return JoinMode(declared)
