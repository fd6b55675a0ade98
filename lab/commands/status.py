"""`lab status`: what runs, what does not, who holds it."""

from __future__ import annotations

import json
import sys
from collections import Counter

import typer

from lab.commands.observed import Observed, Program, observe
from lab.commands.options import DEFAULT_LAB, LabName, Output, OutputOption
from lab.console import Look, bytes_text, seconds_text, table
from lab.run import Run

STYLES = {
    "running": ("green",),
    "Ready": ("green",),
    "starting": ("yellow",),
    "stopped": ("dim",),
    "waiting": ("red",),
    "exited": ("red",),
    "lost": ("red",),
    "not Ready": ("red",),
}


def status(lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """Show what runs of a lab, and what does not.

    Its programs, the members Karmada has, and who holds it.

    Exit code 0 when all of it serves, 4 when it does not or only a part does, 2 when there is no such lab.
    """
    seen = observe(Run.load(lab))
    if output is Output.json:
        print(json.dumps(seen.document(), indent=1))
    else:
        print("\n".join(picture(seen, look=Look.of(sys.stdout))))
    if not seen.ok:
        raise typer.Exit(4)


def picture(seen: Observed, *, look: Look) -> list[str]:
    """Return what a person sees."""
    colour = {"up": "green", "degraded": "red", "failed": "red", "stopped": "yellow"}[seen.state]
    lines = [f"lab {look.paint(seen.lab, 'bold')}  {look.paint(seen.state, colour)}  {bytes_text(seen.rss)}  {seen.path}", ""]
    if seen.components:
        rows: list[tuple[str, ...]] = [("COMPONENT", "STATE", "PID", "RESTARTS", "UPTIME", "MEMORY", "PORTS")]
        rows += [row(part) for part in seen.components]
        lines += [*table(rows, look=look, styles=STYLES), ""]
    if seen.members is not None:
        rows_of_members = [("MEMBER", "MODE", "STATE", "KUBERNETES", "WHY")]
        rows_of_members += [(m.name, m.mode, "Ready" if m.ready else "not Ready", m.version, m.why) for m in seen.members]
        lines += [*table(rows_of_members, look=look, styles=STYLES), ""]
    elif seen.members_unknown:
        lines += [f"members unknown: {seen.members_unknown}", ""]
    if seen.holders:
        held = Counter(label for label, _ in seen.holders)
        lines.append("held by " + ", ".join(label if count == 1 else f"{label} ×{count}" for label, count in held.items()))
    lines += advice(seen)
    return lines


def row(part: Program) -> tuple[str, ...]:
    """Return one program's cells."""
    return (
        f"{part.cluster}/{part.name}" if part.cluster else part.name,
        part.state,
        str(part.pid or "-"),
        str(part.restarts),
        seconds_text(part.uptime) if part.uptime is not None else "-",
        bytes_text(part.rss) if part.rss else "-",
        ",".join(str(port) for port in part.ports),
    )


def advice(seen: Observed) -> list[str]:
    """Return what to do about a lab that does not serve."""
    name = "" if seen.lab == DEFAULT_LAB else f" --lab {seen.lab}"
    if seen.state == "stopped":
        return [f"its processes are stopped and its state is kept: lab up{name} starts them again, lab down{name} removes it"]
    if seen.state == "failed":
        return [f"none of its processes runs: lab up{name} tries again, lab down{name} removes it"]
    bad = next((part for part in seen.components if not part.ok), None)
    if bad is not None:
        program = f"{bad.cluster}/{bad.name}"
        return [f"look at it with: lab logs{name} {program}    start it again with: lab restart{name} {program}"]
    return []
