"""A plan as text, JSON and a GitHub matrix."""

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
"""Factor from expected duration to time-out: runners may be slow, and the first run builds more."""

LEAST, MOST = 30, 350
"""Bounds of a job's time-out in minutes: GitHub's own limit is 360, and a job that GitHub ends writes no results."""

UNMEASURED = 150
"""Time-out in minutes for a suite without measurements: long, because a job that is cut off gives no measurement."""

GITHUB_MOST = 256
"""GitHub's limit on the jobs of one matrix."""


def timeout_minutes(seconds: float | None) -> int:
    """Return the time-out in minutes of a job with this expected duration; None is an unknown duration."""
    if seconds is None:
        return UNMEASURED
    return max(LEAST, min(MOST, math.ceil(seconds * SPARE / 60)))


def make_document(plan: Plan, durations: Durations) -> Json:
    """Return a plan as JSON."""
    return {
        "schema": SCHEMA,
        "selection": plan.selection,
        "seconds": round(sum(durations.of(cell) for cell in plan.chosen), 1),
        "cells": [make_row(cell, durations) for cell in plan.chosen],
        "left_out": [{"name": cell.name, **cell.parts, "why": list(why)} for cell, why in plan.left_out.items()],
        **({} if plan.changed is None else {"changed": list(plan.changed)}),
    }


def make_row(cell: MatrixCell, durations: Durations) -> Json:
    """Return one chosen cell as JSON."""
    return {"name": cell.name, **cell.parts, "seconds": round(durations.of(cell), 1), "measured": cell.name in durations.samples}


def format_matrix(plan: Plan, matrix: Matrix, durations: Durations) -> Json:
    """Return a plan as the value of a workflow's `strategy.matrix`. An empty plan has no `include`: the job must check `count` first."""
    return {
        "include": [
            {
                "cell": cell.name,
                **cell.parts,
                "runs_on": matrix.runs_on(cell),
                "timeout_minutes": timeout_minutes(durations.of(cell) if durations.know(cell.suite) else None),
            }
            for cell in plan.chosen
        ]
    }


def format_plan(plan: Plan, durations: Durations, *, look: Look) -> list[str]:
    """Return a plan as lines of text: the cells, then why the others are left out, each reason once."""
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
