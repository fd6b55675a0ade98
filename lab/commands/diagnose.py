"""`lab diagnose`: what is wrong with a lab, first causes first."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, option
from lab.count import count
from lab.diagnosis.diagnose import diagnose as find_causes
from lab.errors import UsageError
from lab.kubeconfig import list_servers
from lab.run import Run
from lab.status.client import Client, Silent
from lab.terminal.text import say

Namespace = Annotated[str, option("--namespace", help="Look at objects of this namespace only.", metavar="NAME")]
Within = Annotated[float, option("--within", help="Seconds that the diagnosis takes at most.", min=0.5, metavar="SECONDS")]


def diagnose(lab: LabName = DEFAULT_LAB, namespace: Namespace = "", within: Within = 5.0, output: OutputOption = Output.text) -> None:
    """Say what is wrong with a lab, first causes first.

    Each cause comes with its remedy.

    Disks, programs, etcd's alarms, certificates, API servers, webhooks, leases, nodes, members, bindings, works and pods are asked
    at once.

    Exit code 0 when nothing is wrong, 1 when something is or part of the lab did not answer, 2 when there is no such lab or namespace.
    """
    run = Run.load(lab)
    if namespace:
        require_namespace(run, namespace, within=within)
    found = find_causes(run, namespace=namespace, within=within)
    if output is Output.json:
        rows = [{**asdict(cause), "rank": cause.rank.name.lower()} for cause in found.causes]
        print(json.dumps({"schema": 1, "lab": run.id, "causes": rows, "unanswered": found.unanswered}, indent=1))
    else:
        for number, cause in enumerate(found.causes, 1):
            print(f"{number}. {cause.text}")
            if cause.remedy:
                print(f"   remedy: {cause.remedy}")
        if found.unanswered:
            say(f"not known, since it did not answer: {', '.join(found.unanswered)}; a longer --within may help")
        say(f"{count(len(found.causes), 'cause')} found in lab {run.id}" if found.causes else f"nothing wrong was found in lab {run.id}")
    if found.causes or found.unanswered:
        raise typer.Exit(1)


def require_namespace(run: Run, namespace: str, *, within: float) -> None:
    """Return unless every cluster that answers has no such namespace: then a UsageError, since nothing would be looked at."""
    kubeconfig = run.path / "kubeconfig.yaml"
    answers = []
    for context in list_servers(kubeconfig):
        try:
            with Client(kubeconfig, context, within=within) as api:
                answers.append(api.has(f"/api/v1/namespaces/{namespace}"))
        except Silent:
            continue
    if answers and not any(answers):
        raise UsageError(f"no cluster of lab {run.id} has a namespace {namespace!r}", remedy="look at all: leave out --namespace")
