"""`lab bench ablation`: the effect of each setting of a profile."""

from __future__ import annotations

import time

import typer

from lab.cli.options import take_options
from lab.interrupt import Interrupted
from perf.ablation import AblationRequest, format_ablation, get_exit_code, run_rounds, select_settings


@take_options(AblationRequest)
def ablation(request: AblationRequest) -> None:
    """Measure what each setting of a profile changes.

    Trials with and without it take turns.

    Exit codes: 1 a pod was lost or doubled, 4 a trial of the profile itself did not end.
    """
    folder = request.into or request.out / f"{time.strftime('%Y%m%dT%H%M%S')}-ablation-{request.shape}"
    try:
        found = run_rounds(request, select_settings(request), folder)
    except Interrupted as stop:
        stop.add_note(f"results so far are in {folder}; continue with --into")
        raise
    print(format_ablation(found))
    print(f"\nkept in {folder}")
    raise typer.Exit(get_exit_code(found))
