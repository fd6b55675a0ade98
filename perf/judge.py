"""Evaluate saved trials again: after a fix of the evaluation, or with another goal.

    python -m perf.judge FOLDER…                  rewrite each trial's result and page beside its samples
    python -m perf.judge SERIES…                  a folder of perf.compare or perf.ablation: its trials and their summary
    python -m perf.judge --a FOLDER… --b FOLDER…  trials of two nights, paired in the given order, not in time

Nothing is measured. Exit codes: 0; 1 a pod lost or doubled; 2 no such trial; 4 one did not end; 6 slower than --goal, or B slower than A.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.run import write_json
from perf import ablation, compare, failover, report, summary
from perf.samples import FILE, Samples

Json = dict[str, Any]


def judge_trial(folder: Path, *, goal: float | None) -> Json:
    """Evaluate one saved trial and rewrite its result."""
    return report.evaluate_and_write(Samples.load(folder), folder if folder.is_dir() else folder.parent, goal=goal)


def judge_comparison(folder: Path, *, goal: float | None) -> Json:
    """Evaluate a saved comparison and its trials again."""
    sides: dict[str, list[Json]] = {"a": [], "b": []}
    for each in sorted(folder.glob("*-[ab]")):
        if (each / FILE).exists():
            sides[each.name[-1]].append(judge_trial(each, goal=goal))
    evaluation = compare.evaluate_sides(sides)
    write_json(folder / compare.FILE, evaluation)
    return evaluation


def judge_ablation(folder: Path, *, goal: float | None) -> Json:
    """Evaluate the saved trials of an ablation again, and the effect of each setting."""
    series = json.loads((folder / ablation.FILE).read_text())
    for each in ablation.list_trial_folders(folder).values():
        if (each / FILE).exists():
            judge_trial(each, goal=goal)
    evaluation = ablation.evaluate_series(series, ablation.read_saved(folder))
    write_json(folder / ablation.FILE, evaluation)
    return evaluation


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate, print and write; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m perf.judge", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", help="folders that perf.failover, perf.compare or perf.ablation wrote")
    parser.add_argument("--a", type=Path, nargs="+", default=[], help="trials of the baseline")
    parser.add_argument("--b", type=Path, nargs="+", default=[], help="trials of the candidate")
    parser.add_argument("--goal", type=float, help="times the limit that moving may take")
    options = parser.parse_args(argv)
    if (not options.folders and not (options.a and options.b)) or len(options.a) != len(options.b):
        parser.error("name trials to judge, or as many of --a as of --b")
    codes = []
    try:
        for folder in options.folders:
            if (folder / compare.FILE).exists():
                evaluation = judge_comparison(folder, goal=options.goal)
                print(compare.format_comparison(evaluation))
                codes.append(compare.get_exit_code(evaluation))
                continue
            if (folder / ablation.FILE).exists():
                evaluation = judge_ablation(folder, goal=options.goal)
                print(ablation.format_ablation(evaluation))
                codes.append(ablation.get_exit_code(evaluation))
                continue
            evaluation = judge_trial(folder, goal=options.goal)
            print(summary.format_result(evaluation))
            codes.append(failover.get_exit_code([evaluation["verdict"]]))
        if options.a:
            evaluation = compare.evaluate_sides(
                {side: [judge_trial(each, goal=None) for each in getattr(options, side)] for side in ("a", "b")}
            )
            print(compare.format_comparison(evaluation))
            codes.append(compare.get_exit_code(evaluation))
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return next((code for code in (1, 4, 6) if code in codes), 0)


if __name__ == "__main__":
    sys.exit(main())
