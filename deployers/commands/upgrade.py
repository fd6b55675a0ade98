"""`lab upgrade`: upgrade a running Karmada to another release, or roll it back."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from deployers.commands.etcd import open_karmada
from deployers.day2.upgrade import rollback_hint
from deployers.day2.upgrade import upgrade as upgrade_karmada
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, option
from lab.terminal.drawing import open_drawing
from lab.terminal.text import say, seconds_text

Release = Annotated[str, typer.Argument(metavar="VERSION|PATH", help="Karmada's version, or the path of a checkout to build.")]
Only = Annotated[
    str | None, option("--only", help="Only this component, the next in order; @MACHINE: only there.", metavar="COMPONENT[@MACHINE]")
]
Rollback = Annotated[bool, option("--rollback", help="Go back to an earlier release, in reverse order; CRDs stay.")]


def upgrade(
    release: Release, lab: LabName = DEFAULT_LAB, only: Only = None, rollback: Rollback = False, output: OutputOption = Output.text
) -> None:
    """Upgrade Karmada while it serves.

    Order: CRDs, webhook, aggregated-apiserver, controller-manager, scheduler, addons, agents.
    Run it again to continue after an interrupt. A backup is taken first, where etcd is the lab's own.
    """
    with open_drawing(f"upgrade of lab {lab}") as screen:
        done = upgrade_karmada(open_karmada(lab), release, only=only, rollback=rollback, watcher=screen.watcher)
    if output is Output.json:
        rest = {"from": done.before, "to": done.release, "done": list(done.done), "left": list(done.left)}
        print(json.dumps({"schema": 1, "lab": lab, **rest, "seconds": round(done.seconds, 3)}, indent=1))
        return
    if done.left:
        say(f"{', '.join(done.done) or 'nothing'} upgraded to {done.release}; still {done.before}: {', '.join(done.left)}")
        if done.backup:
            say(rollback_hint(lab, done.backup))
    elif not done.done:
        say(f"Karmada of lab {lab} runs {done.release} already: nothing to do")
    else:
        say(f"Karmada of lab {lab} upgraded to {done.release} ({seconds_text(done.seconds)})")
