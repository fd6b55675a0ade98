"""`lab etcd`: manage Karmada's etcd."""

from __future__ import annotations

import datetime as dt
import json
import sys
from datetime import datetime
from typing import Annotated

import typer

from deployers.etcd import members
from deployers.etcd.health import EtcdHealth
from deployers.etcd.pod import etcd_of
from deployers.karmada import Karmada
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, duration
from lab.cluster import Lab
from lab.count import count
from lab.duration import duration_text
from lab.run import Run
from lab.terminal.text import Look, bytes_text, format_table, say

app = typer.Typer(help="Manage Karmada's etcd.", no_args_is_help=True, rich_markup_mode=None)
Member = Annotated[str, typer.Argument(metavar="MEMBER", help="etcd, etcd-2 or etcd-3; in pods etcd-0, etcd-1 or etcd-2.")]
NewMember = Annotated[str | None, typer.Argument(metavar="[MEMBER]", help="As above; by default the first free name.")]
ExpiresWithin = Annotated[float, duration("--expires-within", help="Renew what expires within this time; 0 renews all.", default="30d")]
THIRTY_DAYS = 30 * 86400.0


def open_karmada(lab: str) -> Karmada:
    """Return the Karmada of a lab. UsageError when the lab does not exist or has no Karmada."""
    return Karmada.open(Lab.open(Run.load(lab)))


@app.command()
def health(lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """Show the health of etcd.

    Lists members, leader, lag, sizes, alarms and the expiry of certificates.
    Exit code 1 when it has a problem, 4 when it does not answer.
    """
    seen = etcd_of(open_karmada(lab)).health()
    if output is Output.json:
        print(json.dumps({"schema": 1, "lab": lab, **seen.document()}, indent=1))
    else:
        print("\n".join(picture(seen, look=Look.of(sys.stdout))))
    if seen.problems:
        raise typer.Exit(1)


def picture(seen: EtcdHealth, *, look: Look) -> list[str]:
    """Return the health of etcd as lines of text."""
    rows = [("MEMBER", "STATE", "VERSION", "SIZE", "IN USE", "BEHIND", "ADDRESS")]
    for member in seen.members:
        state = "down" if not member.answers else "leader" if member.leads else "learner" if member.learner else "follows"
        sizes = (bytes_text(member.size), bytes_text(member.in_use)) if member.answers else ("", "")
        rows.append((member.name, state, member.version, *sizes, str(member.lag) if member.answers else "", member.client))
    lines = format_table(rows, look=look, styles={"down": ("red",), "leader": ("green",)})
    lines += ["", f"revision {seen.revision}; certificates until {seen.expires:%Y-%m-%d}"]
    return lines + [look.paint(problem, "red") for problem in seen.problems]


@app.command()
def add(member: NewMember = None, lab: LabName = DEFAULT_LAB) -> None:
    """Add a member.

    It starts as a learner and votes once it has caught up; then the API servers restart with its address, one by one.
    """
    say_members("added", lab, members.add(open_karmada(lab), member))


@app.command()
def remove(member: Member, lab: LabName = DEFAULT_LAB) -> None:
    """Remove a member and its data.

    Refused when the remaining members would not have a quorum.
    """
    say_members("removed", lab, members.remove(open_karmada(lab), member))


@app.command()
def replace(member: Member, lab: LabName = DEFAULT_LAB) -> None:
    """Replace a dead member by a new one."""
    say_members("replaced", lab, members.replace(open_karmada(lab), member))


@app.command()
def grow(lab: LabName = DEFAULT_LAB) -> None:
    """Grow from one member to three; continues after an interrupt."""
    say_members("grown", lab, members.grow(open_karmada(lab)))


def say_members(how: str, lab: str, karmada: Karmada) -> None:
    """Print the members of etcd."""
    say(f"{how}: the etcd of lab {lab} is {', '.join(members.list_names(karmada))}")


@app.command()
def defragment(lab: LabName = DEFAULT_LAB) -> None:
    """Compact and defragment etcd.

    One member at a time, the leader last; clears a NOSPACE alarm.
    """
    before, after = etcd_of(open_karmada(lab)).defragment()
    say(f"{bytes_text(before)} before, {bytes_text(after)} after")


@app.command()
def renew(lab: LabName = DEFAULT_LAB, expires_within: ExpiresWithin = THIRTY_DAYS) -> None:
    """Renew etcd's certificates before they expire.

    No program restarts: each reads its certificate at every handshake.
    """
    renewed = members.renew(open_karmada(lab), before=dt.timedelta(seconds=expires_within) if expires_within else None)
    say_renewed(renewed, expires_within)


def say_renewed(renewed: dict[str, datetime], expires_within: float) -> None:
    """Print the renewed certificates and when each expires."""
    for name, ends in renewed.items():
        print(f"{name}  until {ends:%Y-%m-%d}")
    say(
        f"{count(len(renewed), 'certificate')} renewed"
        if renewed
        else f"none expires within {duration_text(expires_within)}: nothing to do"
    )
