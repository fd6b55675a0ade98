"""A plan as people and programs read it."""

from __future__ import annotations

import math
from typing import Any

from lab.count import count
from lab.terminal.text import Look, format_table, seconds_text
from scenarios.matrix.cells import MatrixCell
from scenarios.matrix.definition import Matrix
from scenarios.matrix.durations import Durations
from scenarios.matrix.plan import Plan

Json = dict[str, Any]
SCHEMA = 1
SPARE = 3.0
"""Times the expected duration after which a job is given up: a slow runner and what a first run builds."""

LEAST, MOST = 30, 350
"""Minutes of a job's time-out: GitHub's own limit is 360, and a job that it ends writes no results."""

UNMEASURED = 150
"""Minutes of a job of a suite that was never measured: better too long than cut off, which would leave nothing to learn from."""

GITHUB_MOST = 256
"""Jobs that GitHub makes of one matrix."""


def timeout_minutes(seconds: float | None) -> int:
    """Return the minutes after which a job that is expected to last so long is given up; None for an unknown duration."""
    if seconds is None:
        return UNMEASURED
    return max(LEAST, min(MOST, math.ceil(seconds * SPARE / 60)))


def document(plan: Plan, durations: Durations) -> Json:
    """Return a plan as JSON."""
    return {
        "schema": SCHEMA,
        "selection": plan.selection,
        "seconds": round(sum(durations.of(cell) for cell in plan.chosen), 1),
        "cells": [row(cell, durations) for cell in plan.chosen],
        "left_out": [{"name": cell.name, **cell.parts, "why": list(why)} for cell, why in plan.left_out.items()],
        **({} if plan.changed is None else {"changed": list(plan.changed)}),
    }


def row(cell: MatrixCell, durations: Durations) -> Json:
    """Return one chosen cell as JSON."""
    return {"name": cell.name, **cell.parts, "seconds": round(durations.of(cell), 1), "measured": cell.name in durations.samples}


def github(plan: Plan, matrix: Matrix, durations: Durations) -> Json:
    """Return a plan as the value of a workflow's `strategy.matrix`. An empty one has no `include`: the job must ask `count` first."""
    return {
        "include": [
            {
                "cell": cell.name,
                **cell.parts,
                "runs_on": list(matrix.providers[cell.provider].runs_on),
                "timeout_minutes": timeout_minutes(durations.of(cell) if durations.know(cell.suite) else None),
            }
            for cell in plan.chosen
        ]
    }


def text(plan: Plan, durations: Durations, *, look: Look) -> list[str]:
    """Return a plan as a person reads it: the cells, then why the others are left out, each reason once."""
    lines: list[str] = []
    if plan.chosen:
        rows = [("CELL", "EXPECTED")]
        rows += [(cell.name, "about " * (cell.name not in durations.samples) + seconds_text(durations.of(cell))) for cell in plan.chosen]
        lines += format_table(rows, look=look)
    total = sum(durations.of(cell) for cell in plan.chosen)
    lines.append(f"{count(len(plan.chosen), 'cell')}, {seconds_text(total)} one after the other" if plan.chosen else "no cells")
    if plan.left_out:
        lines.append(f"{count(len(plan.left_out), 'other')} left out:")
        lines += [f"  {number:4} × {why}" for why, number in plan.reasons]
    return lines
