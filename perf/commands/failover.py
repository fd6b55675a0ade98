"""`lab bench failover`: how long pods take to move from a lost member."""

from __future__ import annotations

import os
import time
from pathlib import Path

import typer

from lab.cli.options import take_options
from perf.failover import get_exit_code, make_plan, run_trial
from perf.progress import say
from perf.request import TrialRequest
from perf.summary import format_markdown


@take_options(TrialRequest)
def failover(request: TrialRequest) -> None:
    """Measure how fast pods move from a lost member.

    Samples are saved before they are evaluated, also when a trial ends early.

    Exit codes: 1 a pod was lost or doubled, 4 a trial did not end, 6 slower than --goal.
    """
    results = []
    for number in range(1, request.rounds + 1):
        plan = make_plan(request, f"failover-{os.getpid()}-{number}")
        say(f"round {number} of {request.rounds}: {plan.shape_name}, {plan.profile}, {plan.fault.kind}")
        folder = request.out / f"{time.strftime('%Y%m%dT%H%M%S')}-{plan.shape_name}-{plan.profile}"
        results.append(run_trial(plan, folder, goal=request.goal))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as page:
            page.write(format_markdown(results))
    raise typer.Exit(get_exit_code([each["verdict"] for each in results]))
