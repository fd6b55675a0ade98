"""`lab bench diagnosis`: does the first line of a failure name its cause?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import option
from lab.run import write_json
from perf.bench_diagnosis import choose_faults, measure
from perf.diagnosis_attempt import Diagnosed
from perf.figures import format_table


def diagnosis(
    quiet_runs: Annotated[int, option("--quiet-runs", help="Runs without a fault.", min=0, metavar="N")] = 20,
    fault: Annotated[list[str] | None, option("--fault", help="Only this one; may be repeated.", metavar="NAME")] = None,
    out: Annotated[Path, option("--out", help="Where the results are kept.", metavar="FILE")] = Path("_runs/bench-diagnosis.json"),
) -> None:
    """Judge whether failures name their causes.

    Faults are injected into a lab of its own, one after the other.

    Exit code 6 when fewer causes are named, or named later, than the targets ask for, or a healthy lab is accused.
    """
    rows, figures = measure(choose_faults(fault or ()), quiet_runs)
    print(render_rows(rows))
    print(format_table(figures))
    write_json(out, {"schema": 1, "faults": [row.document() for row in rows], "figures": [figure.document() for figure in figures]})
    raise typer.Exit(6 if any(figure.verdict == "missed" for figure in figures) else 0)


def render_rows(rows: list[Diagnosed]) -> str:
    """Return the table of faults: seconds, whether the cause is named, and the first line."""
    width = max((len(row.fault) for row in rows), default=0)
    return "\n".join(f"{row.fault:{width}}  {row.seconds:6.1f} s  {'named' if row.named else 'MISSED':6}  {row.line}" for row in rows)
