"""`lab upstream`: run Karmada's own end-to-end suite."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab import settings
from lab.cli.options import OfflineOption, Output, OutputOption, ProviderOption, ReleaseOption, SpecOption, option, setting
from lab.terminal.text import Look
from scenarios.upstream import command


def upstream(
    focus: Annotated[str, typer.Option("--focus", help="Only the specs that match.", metavar="REGEXP")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Print the specs, and what is not run or expected to fail and why.")] = False,
    lab: Annotated[str | None, setting(settings.LAB)] = None,
    spec: SpecOption = None,
    provider: ProviderOption = None,
    release: ReleaseOption = None,
    artifacts: Annotated[Path, option("--artifacts", help="Where results go.", metavar="DIR", file_okay=False)] = Path("_artifacts"),
    offline: OfflineOption = False,
    output: OutputOption = Output.text,
) -> None:
    """Run Karmada's own end-to-end suite on a lab.

    The suite is that of the release under test, compiled from its module, and runs as one test of pytest (scenarios/test_upstream.py);
    each spec is a case of its JUnit file.
    """
    asked = command.SuiteRequest(focus, lab, spec, release, artifacts.absolute(), offline, provider)
    planned = command.plan_suite(asked)
    if not listed:
        raise typer.Exit(command.run(asked))
    if output is Output.json:
        print(json.dumps(command.make_document(planned), indent=1))
    else:
        print(command.plan_text(planned, look=Look.of(sys.stdout)))
