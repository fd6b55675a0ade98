"""`lab bench judge`: saved trials evaluated again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import option
from lab.errors import UsageError
from perf import ablation, compare, failover, summary
from perf.judge import judge_ablation, judge_comparison, judge_trial


def judge(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER]…", help="Folders of `lab bench failover`, `compare` or `ablation`.")
    ] = None,
    a: Annotated[list[Path] | None, option("--a", help="A trial of the baseline; may be repeated.", metavar="FOLDER")] = None,
    b: Annotated[list[Path] | None, option("--b", help="A trial of the candidate; may be repeated.", metavar="FOLDER")] = None,
    goal: Annotated[float | None, option("--goal", help="Times the limit that moving may take.")] = None,
) -> None:
    """Evaluate saved results again; measure nothing.

    They are those of trials, comparisons and ablations.

    Exit codes: 1 a pod was lost or doubled, 4 a trial did not end, 6 slower than --goal, or B slower than A.
    """
    of_a, of_b = a or [], b or []
    if not (folders or of_a) or len(of_a) != len(of_b):
        raise UsageError("no trials given, or different numbers of --a and --b", remedy="name folders, or pairs: --a FOLDER --b FOLDER")
    codes = [judge_folder(folder, goal=goal) for folder in folders or []]
    if of_a:
        sides = {"a": of_a, "b": of_b}
        evaluation = compare.evaluate_sides({side: [judge_trial(each, goal=None) for each in trials] for side, trials in sides.items()})
        print(compare.format_comparison(evaluation))
        codes.append(compare.get_exit_code(evaluation))
    raise typer.Exit(next((code for code in (1, 4, 6) if code in codes), 0))


def judge_folder(folder: Path, *, goal: float | None) -> int:
    """Evaluate a trial, a comparison or an ablation again, print it, and return its exit code."""
    if (folder / compare.FILE).exists():
        evaluation = judge_comparison(folder, goal=goal)
        print(compare.format_comparison(evaluation))
        return compare.get_exit_code(evaluation)
    if (folder / ablation.FILE).exists():
        evaluation = judge_ablation(folder, goal=goal)
        print(ablation.format_ablation(evaluation))
        return ablation.get_exit_code(evaluation)
    evaluation = judge_trial(folder, goal=goal)
    print(summary.format_result(evaluation))
    return failover.get_exit_code([evaluation["verdict"]])
