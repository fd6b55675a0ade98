"""`lab bench compare`: two settings or releases."""

from __future__ import annotations

import time

import typer

from lab.cli.options import take_options
from lab.interrupt import Interrupted
from perf.compare import CompareRequest, evaluate_sides, format_comparison, get_exit_code, run_trials


@take_options(CompareRequest)
def compare(request: CompareRequest) -> None:
    """Compare two settings or releases by alternate trials.

    B is faster, same, slower or inconclusive.

    Exit codes: 4 a trial did not end, 6 B is slower.
    """
    folder = request.out / f"{time.strftime('%Y%m%dT%H%M%S')}-compare-{request.shape}"
    try:
        results = run_trials(request, folder)
    except Interrupted as stop:
        stop.add_note(f"results so far are in {folder}")
        raise
    comparison = evaluate_sides(results)
    print(format_comparison(comparison))
    print(f"\nkept in {folder}")
    raise typer.Exit(get_exit_code(comparison))
