"""Evaluate saved trials again: after a fix of the evaluation, or with another goal.

    lab bench judge FOLDER…                       rewrite each trial's result and page beside its samples
    lab bench judge SERIES…                       a folder of `lab bench compare` or `ablation`: its trials and their summary
    lab bench judge --a FOLDER --b FOLDER …       trials of two nights, paired in the given order, not in time

Nothing is measured. Exit codes: 0; 1 a pod lost or doubled; 2 no such trial; 4 one did not end; 6 slower than --goal, or B slower than A.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.run import write_json
from perf import ablation, compare, report
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
