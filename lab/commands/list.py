"""`lab list`: the labs of this directory."""

from __future__ import annotations

import json
import sys
import time

from lab.cli.options import Output, OutputOption
from lab.errors import LabError
from lab.hints import DEFAULT_LAB, command
from lab.run import Run, list_runs, runs_root
from lab.supervisor.client import Supervisor
from lab.terminal.text import Look, format_table, say, seconds_text

STYLES = {"running": ("green",), "stopped": ("yellow",), "unreadable": ("red",)}


def list_labs(output: OutputOption = Output.text) -> None:
    """List labs: what each is made of, and whether it runs.

    Whether all of a lab serves is what `lab status` asks; this reads run directories alone.
    """
    rows = [describe_lab(name) for name in list_runs()]
    if output is Output.json:
        print(json.dumps({"schema": 1, "path": str(runs_root()), "labs": rows}, indent=1))
    elif rows:
        print("\n".join(render_labs(rows, now=time.time())))
    else:
        say(f"no labs in {runs_root()}; bring one up with: {command('up', lab=DEFAULT_LAB)}")


def describe_lab(name: str) -> dict[str, object]:
    """Return a lab as `-o json` prints it: its state is running, stopped, or unreadable, with the reason."""
    try:
        run = Run.load(name)
        asked, karmada = run.asked["lab"], run.asked.get("karmada") or {}
        return {
            "name": name,
            "state": "running" if Supervisor(run.path).alive() else "stopped",
            "provider": asked["provider"],
            "members": len(asked["members"]),
            "karmada": karmada.get("release"),
            "deployer": karmada.get("deployer"),
            "created": run.created,
        }
    except (LabError, KeyError, TypeError) as error:
        return {"name": name, "state": "unreadable", "why": str(getattr(error, "what", error))}


def render_labs(rows: list[dict[str, object]], *, now: float) -> list[str]:
    """Return the table that a person sees."""
    table = [("NAME", "STATE", "PROVIDER", "MEMBERS", "KARMADA", "AGE")]
    for row in rows:
        if row["state"] == "unreadable":
            table.append((str(row["name"]), "unreadable", "", "", "", ""))
            continue
        karmada = f"{row['karmada']} {row['deployer']}" if row["karmada"] else "none"
        age = seconds_text(now - float(str(row["created"])))
        table.append((str(row["name"]), str(row["state"]), str(row["provider"]), str(row["members"]), karmada, age))
    return format_table(table, look=Look.of(sys.stdout), styles=STYLES)
