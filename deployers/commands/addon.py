"""`lab addon`: list, install, upgrade and remove addons of a running Karmada."""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated

import typer

from deployers.addon import OWN, names
from deployers.addons import change, karmada_addons
from deployers.addons.change import find_installed, versions
from deployers.addons.karmada_addons import WHAT
from deployers.commands.etcd import open_karmada
from deployers.karmada import Karmada
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption
from lab.terminal.drawing import open_drawing
from lab.terminal.text import Look, format_table, say, seconds_text

app = typer.Typer(help="Manage addons: Karmada's own and third-party ones.", no_args_is_help=True, rich_markup_mode=None)
Names = Annotated[list[str], typer.Argument(metavar="NAME[@VERSION]…", help="search, openkruise@1.7.0, …: see lab addon list.")]
PlainNames = Annotated[list[str], typer.Argument(metavar="NAME…", help="As lab addon list shows them.")]


@app.command("list")
def show(lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """List all addons.

    Shows where each is installed, and its versions.
    """
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
    """Return the row of a third-party addon."""
    seen = find_installed(karmada, name)
    state = {"installed": seen.wanted, "on": dict(seen.there)}
    return {"name": name, "what": seen.addon.what, "own": False, **state, "versions": versions(karmada, name)}


@app.command()
def install(addons: Names, lab: LabName = DEFAULT_LAB) -> None:
    """Install addons, one by one.

    Returns when Karmada can use them. An installed addon is left alone, except on members that joined later.
    """
    for name, version in map(parse_addon, addons):
        began = time.monotonic()
        with open_drawing(f"addon {name} of lab {lab}") as screen:
            if name in karmada_addons.WHAT:
                karmada_addons.switch(open_karmada(lab), name, on=True, version=version, watcher=screen.watcher)
            else:
                change.install(open_karmada(lab), name, version, watcher=screen.watcher)
        say(f"{name} installed ({seconds_text(time.monotonic() - began)})")


@app.command()
def upgrade(addons: Names, lab: LabName = DEFAULT_LAB) -> None:
    """Upgrade addons, to the newest pinned version by default.

    Karmada's own addons are upgraded with Karmada: lab upgrade.
    """
    for name, version in map(parse_addon, addons):
        karmada_addons.refuse_version(name)
        began = time.monotonic()
        with open_drawing(f"addon {name} of lab {lab}") as screen:
            karmada = change.upgrade(open_karmada(lab), name, version, watcher=screen.watcher)
        say(f"{name} upgraded to {karmada.spec.addons.others[name]} ({seconds_text(time.monotonic() - began)})")


@app.command()
def remove(addons: PlainNames, lab: LabName = DEFAULT_LAB) -> None:
    """Remove addons.

    Refused while objects of their CRDs exist. Objects that the lab did not create stay.
    """
    for name in addons:
        began = time.monotonic()
        with open_drawing(f"addon {name} of lab {lab}") as screen:
            if name in karmada_addons.WHAT:
                karmada_addons.switch(open_karmada(lab), name, on=False, watcher=screen.watcher)
            else:
                change.remove(open_karmada(lab), name, watcher=screen.watcher)
        say(f"{name} removed ({seconds_text(time.monotonic() - began)})")


def parse_addon(text: str) -> tuple[str, str | None]:
    """Return the name and the version of NAME[@VERSION]."""
    name, _, version = text.partition("@")
    return name, version.removeprefix("v") or None
