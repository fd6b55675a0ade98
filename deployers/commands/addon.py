"""`lab addon`: what Karmada can have beside it, its own and others', on a lab that runs."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from deployers.commands.etcd import open_karmada
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption
from lab.terminal.drawing import open_drawing
from lab.terminal.text import Look, format_table, say, seconds_text

if TYPE_CHECKING:
    from deployers.karmada import Karmada

app = typer.Typer(help="What Karmada can have beside it: its own addons, and CRDs of others.", no_args_is_help=True, rich_markup_mode=None)
Names = Annotated[list[str], typer.Argument(metavar="NAME[@VERSION]…", help="search, openkruise, openkruise@1.7.0, …: see lab addon list.")]
PlainNames = Annotated[list[str], typer.Argument(metavar="NAME…", help="As lab addon list shows them.")]


@app.command("list")
def show(lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """List all addons.

    What is installed where, and which versions there are.
    """
    from deployers.addon import OWN, names
    from deployers.addons.karmada_addons import WHAT

    karmada = open_karmada(lab)
    rows = [{"name": name, "what": WHAT[name], "own": True, "installed": getattr(karmada.spec.addons, name)} for name in OWN]
    rows += [addon_row(karmada, name) for name in names()]
    if output is Output.json:
        print(json.dumps({"schema": 1, "lab": lab, "addons": rows}, indent=1))
        return
    lines = [("ADDON", "INSTALLED", "VERSIONS", "WHAT")]
    for row in rows:
        state = str(row["installed"]) if isinstance(row["installed"], str) else "yes" if row["installed"] else "-"
        lines.append((str(row["name"]), state, ", ".join(row.get("versions", ["Karmada's"])), str(row["what"])))
    print("\n".join(format_table(lines, look=Look.of(sys.stdout))))


def addon_row(karmada: Karmada, name: str) -> dict[str, object]:
    """Return an addon of others as it is listed."""
    from deployers.addons.change import find_installed, versions

    seen = find_installed(karmada, name)
    state = {"installed": seen.wanted, "on": dict(seen.there)}
    return {"name": name, "what": seen.addon.what, "own": False, **state, "versions": versions(karmada, name)}


@app.command()
def install(addons: Names, lab: LabName = DEFAULT_LAB) -> None:
    """Install addons, one after the other.

    Returns when Karmada can use them. One that is there is left alone; members that joined since get it.
    """
    from deployers.addons import change, karmada_addons

    for name, version in map(parse_addon, addons):
        began = time.monotonic()
        with open_drawing(f"addon {name} of lab {lab}") as screen:
            if name in karmada_addons.WHAT:
                karmada_addons.switch(open_karmada(lab), name, on=True, version=version, watcher=screen.watcher)
            else:
                change.install(open_karmada(lab), name, version, watcher=screen.watcher)
        say(f"{name} is installed ({seconds_text(time.monotonic() - began)})")


@app.command()
def upgrade(addons: Names, lab: LabName = DEFAULT_LAB) -> None:
    """Bring addons to another version.

    The newest that is pinned, or the one that is named. Karmada's own are upgraded with it: lab upgrade.
    """
    from deployers.addons import change, karmada_addons

    for name, version in map(parse_addon, addons):
        karmada_addons.refuse_version(name)
        began = time.monotonic()
        with open_drawing(f"addon {name} of lab {lab}") as screen:
            karmada = change.upgrade(open_karmada(lab), name, version, watcher=screen.watcher)
        say(f"{name} is of {karmada.spec.addons.others[name]} now ({seconds_text(time.monotonic() - began)})")


@app.command()
def remove(addons: PlainNames, lab: LabName = DEFAULT_LAB) -> None:
    """Remove addons.

    Refused while objects of their CRDs exist. What was there before is left.
    """
    from deployers.addons import change, karmada_addons

    for name in addons:
        began = time.monotonic()
        with open_drawing(f"addon {name} of lab {lab}") as screen:
            if name in karmada_addons.WHAT:
                karmada_addons.switch(open_karmada(lab), name, on=False, watcher=screen.watcher)
            else:
                change.remove(open_karmada(lab), name, watcher=screen.watcher)
        say(f"{name} is not installed ({seconds_text(time.monotonic() - began)})")


def parse_addon(text: str) -> tuple[str, str | None]:
    """Return the name and the version of NAME[@VERSION]."""
    name, _, version = text.partition("@")
    return name, version.removeprefix("v") or None
