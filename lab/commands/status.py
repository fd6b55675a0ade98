"""`lab status`: what runs, what does not, who holds it."""

from __future__ import annotations

import json
import sys
from collections import Counter

import typer

from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption
from lab.errors import ProvisionError, TestsFailed
from lab.hints import command
from lab.run import Run
from lab.status.lab_status import LabStatus, ProgramStatus, lab_status
from lab.terminal.text import Look, bytes_text, format_table, seconds_text

STYLES = {
    "running": ("green",),
    "Ready": ("green",),
    "starting": ("yellow",),
    "stopped": ("dim",),
    "waiting": ("red",),
    "paused": ("red",),
    "zombie": ("red",),
    "missing": ("red",),
    "exited": ("red",),
    "lost": ("red",),
    "not Ready": ("red",),
}


def status(lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """Show what runs of a lab, and what does not.

    Its programs, the members Karmada has, and who holds it. Every program, API, webhook, lease and member is asked, all at once.

    Exit code 0 when all of it serves, 1 when it does not or only a part does, 2 when there is no such lab.
    """
    try:
        seen = lab_status(Run.load(lab))
    except ProvisionError as error:  # of a supervisor that does not answer
        raise TestsFailed(error.what, where=error.where, remedy=error.remedy) from error
    if output is Output.json:
        print(json.dumps(seen.document(), indent=1))
    else:
        print("\n".join(render_status(seen, look=Look.of(sys.stdout))))
    if not seen.ok:
        raise typer.Exit(1)


def render_status(seen: LabStatus, *, look: Look) -> list[str]:
    """Return what a person sees."""
    colour = {"up": "green", "degraded": "red", "failed": "red", "stopped": "yellow"}[seen.state]
    lines = [
        f"lab {look.paint(seen.lab, 'bold')}  {look.paint(seen.state, colour)}{first_fault(seen)}  {bytes_text(seen.rss)}  {seen.path}",
        "",
    ]
    if len(seen.wrong) > 1:
        lines += ["not well:", *(f"  {fault}" for fault in seen.wrong), ""]
    if seen.components:
        rows: list[tuple[str, ...]] = [("COMPONENT", "STATE", "PID", "RESTARTS", "UPTIME", "MEMORY", "PORTS")]
        rows += [render_row(part) for part in seen.components]
        lines += [*format_table(rows, look=look, styles=STYLES), ""]
    if seen.members is not None:
        rows_of_members = [("MEMBER", "MODE", "STATE", "KUBERNETES", "WHY")]
        rows_of_members += [(m.name, m.mode, "Ready" if m.ready else "not Ready", m.version, m.why) for m in seen.members]
        lines += [*format_table(rows_of_members, look=look, styles=STYLES), ""]
    elif seen.members_unknown:
        lines += [f"members unknown: {seen.members_unknown}", ""]
    if seen.holders:
        held = Counter(label for label, _ in seen.holders)
        lines.append("held by " + ", ".join(label if count == 1 else f"{label} ×{count}" for label, count in held.items()))
    lines += render_advice(seen)
    return lines


def first_fault(seen: LabStatus) -> str:
    """Return what is wrong first, and how much more, for the first line; "" when the verdict says it all."""
    if seen.state != "degraded" or not seen.wrong:
        return ""
    more = len(seen.wrong) - 1
    return f": {seen.wrong[0]}" + (f" (and {more} more)" if more else "") + " "


def render_row(part: ProgramStatus) -> tuple[str, ...]:
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


def render_advice(seen: LabStatus) -> list[str]:
    """Return what to do about a lab that does not serve."""
    up, down = command("up", lab=seen.lab), command("down", lab=seen.lab)
    if seen.state == "stopped":
        return [f"its processes are stopped and its state is kept: {up} starts them again, {down} removes it"]
    if seen.state == "failed":
        return [f"none of its processes runs: {up} tries again, {down} removes it"]
    wrong = {fault.partition(" ")[0] for fault in seen.wrong}
    bad = [part for part in seen.components if part.pid is not None and (not part.ok or part.full_name in wrong)]
    if any(part.state == "paused" for part in bad):
        return [f"it was paused by a signal; go on with: kill -CONT {' '.join(str(part.pid) for part in bad if part.state == 'paused')}"]
    if seen.state == "degraded" and not bad and any(not part.ok for part in seen.components):
        return [f"start what is missing with: {up}"]
    if bad:
        name = bad[0].full_name
        return [f"look at it with: {command('logs', name, lab=seen.lab)}    start it again with: {command('restart', name, lab=seen.lab)}"]
    return [f"more is known to: {command('conformance', lab=seen.lab)}"] if seen.state == "degraded" else []
