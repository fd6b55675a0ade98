"""`lab diagnose`: what is wrong with a lab, first causes first."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, option
from lab.count import count
from lab.run import Run
from lab.terminal.text import say

Namespace = Annotated[str, option("--namespace", help="Look at objects of this namespace only.", metavar="NAME")]
Within = Annotated[float, option("--within", help="Seconds that the diagnosis takes at most.", min=0.5, metavar="SECONDS")]


def diagnose(lab: LabName = DEFAULT_LAB, namespace: Namespace = "", within: Within = 5.0, output: OutputOption = Output.text) -> None:
    """Say what is wrong with a lab, first causes first.

    Each cause comes with its remedy.

    Disks, programs, etcd's alarms, certificates, API servers, webhooks, leases, nodes, members, bindings, works and pods are asked
    at once.

    Exit code 0 when nothing is wrong, 1 when something is, 2 when there is no such lab.
    """
    from lab.diagnosis.diagnose import diagnose as find_causes

    run = Run.load(lab)
    causes = find_causes(run, namespace=namespace, within=within)
    if output is Output.json:
        rows = [{**asdict(cause), "rank": cause.rank.name.lower()} for cause in causes]
        print(json.dumps({"schema": 1, "lab": run.id, "causes": rows}, indent=1))
    else:
        for number, cause in enumerate(causes, 1):
            print(f"{number}. {cause.text}")
            if cause.remedy:
                print(f"   remedy: {cause.remedy}")
        say(f"{count(len(causes), 'cause')} found in lab {run.id}" if causes else f"nothing wrong was found in lab {run.id}")
    if causes:
        raise typer.Exit(1)
