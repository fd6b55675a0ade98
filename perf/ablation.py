"""Ablation of a profile: the effect of each setting, measured by trials with and without it on one computer.

    lab bench ablation [--profile tuned] [--shape short] [--rounds 5] [--only NAME]…
    lab bench ablation --into FOLDER --rounds 1       continue a series, also after an interrupt
    lab bench judge FOLDER                         evaluate again

A round is one trial per setting of the profile (perf/profiles/*.settings.toml), with only that setting reset to the default of Karmada or
Kubernetes. Between every two of them is a trial of the unchanged profile, with which both are paired: the speed of a computer changes
within minutes. Rounds rotate the order. Reported: without / with; perf.stats computes interval and verdict. A trial that exceeds the
shape's time is ended and reported. Exit codes are those of `lab bench failover`; 4 when a trial of the profile itself did not end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from lab.cli.options import option
from lab.errors import UsageError
from lab.run import write_json
from perf import compare, failover, profile
from perf.profile import ProfileSetting
from perf.report import RESULT
from perf.request import SHAPES, TrialRequest
from perf.stats import summarize_spread
from perf.summary import align_rows

SCHEMA = 1
FILE = "ablation.json"
PROFILE = "profile"
"""The name of trials of the unchanged profile."""
METRICS = {
    "moving_seconds": "T3→T8, s",
    "total_seconds": "T0→T8, s",
    "cpu_of_karmada": "CPU of Karmada, ms a pod",
    "cpu_of_survivor": "CPU of the survivor, ms a pod",
    "cpu_of_both": "CPU of Karmada over the survivor's",
}
Json = dict[str, Any]
Trials = dict[int, tuple[str, Json]]
"""Trials by their number in the series: the setting that was reset, or PROFILE, and the result."""


@dataclass(frozen=True)
class AblationRequest(TrialRequest):
    """The options of an ablation."""

    shape: Annotated[str, option("--shape", help=f"{SHAPES}.")] = "short"
    rounds: Annotated[int, option("--rounds", help="Trials without each setting.", min=1, metavar="N")] = 5
    limit_pods: Annotated[int | None, option("--limit-pods", help="Pods that the limit is measured with; 0 skips it.", metavar="N")] = 0
    only: Annotated[list[str], option("--only", help="Measure this setting only; may be repeated.", metavar="NAME")] = field(
        default_factory=list
    )
    into: Annotated[Path | None, option("--into", help="Add rounds to the series in this folder.", metavar="FOLDER")] = None


def select_settings(request: AblationRequest) -> dict[str, ProfileSetting]:
    """Return the settings to measure. Raise UsageError, with the known names, for an unknown one."""
    there = profile.read_settings(request.profile)
    if unknown := [name for name in request.only if name not in there]:
        raise UsageError(f"profile {request.profile} has no setting {', '.join(unknown)}", remedy=f"one of: {', '.join(there)}")
    return {name: each for name, each in there.items() if not request.only or name in request.only}


def order_round(names: Sequence[str], number: int) -> list[str]:
    """Return the order of trials in a round (from 0): rotated by one per round, each setting next to a trial of the profile."""
    turned = [names[(number + place) % len(names)] for place in range(len(names))]
    return [each for place in range(0, len(turned), 2) for each in (turned[place], PROFILE, *turned[place + 1 : place + 2])]


def open_series(request: AblationRequest, settings: Mapping[str, ProfileSetting], folder: Path) -> Json:
    """Return the document of a series, new or continued. Raise UsageError when the options differ from those of the series."""
    asked = json.loads(json.dumps(failover.make_plan(request, "failover-check").describe()))
    given = {name: {"title": each.title, "back": list(each.back)} for name, each in settings.items()}
    if request.into is None:
        return {"asked": asked, "settings": given}
    try:
        series = json.loads((folder / FILE).read_text())
        before, known = series["asked"], series["settings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"no series to continue: {error}", where=str(folder), remedy="name the folder of an ablation") from error
    unlike = [key for key in asked if asked[key] != before.get(key)]
    unlike += [name for name in given if name in known and known[name]["back"] != given[name]["back"]]
    if unlike:
        raise UsageError(
            f"the series was measured with other values of: {', '.join(unlike)}",
            where=str(folder),
            remedy="use the same options and profile, or start a new series without --into",
        )
    return {"asked": asked, "settings": {**known, **given}}


def read_saved(folder: Path) -> Trials:
    """Return the results in a folder. Skip unreadable results and interrupted trials."""
    trials: Trials = {}
    for number, place in list_trial_folders(folder).items():
        try:
            result = json.loads((place / RESULT).read_text())
        except (OSError, ValueError):
            continue
        if not result["stopped_by"].startswith("SIG"):
            trials[number] = (place.name.partition("-")[2], result)
    return trials


def list_trial_folders(folder: Path) -> dict[int, Path]:
    """Return the folders of a series' trials, in the order of their runs."""
    places = {place.name.partition("-")[0]: place for place in folder.glob("*-*")}
    return {int(number): places[number] for number in sorted(places) if number.isdecimal()}


def run_rounds(request: AblationRequest, settings: Mapping[str, ProfileSetting], folder: Path) -> Json:
    """Run the rounds; return the evaluation. Rewrite it after each trial, so that an interrupt loses none."""
    series, trials, last = open_series(request, settings, folder), read_saved(folder), max(list_trial_folders(folder), default=0)
    before = sum(name == next(iter(settings)) for name, _ in trials.values())
    names = [name for number in range(before, before + request.rounds) for name in order_round(list(settings), number)]
    turns = {
        f"{number:03d}-{name}": replace(request, changes=[*request.changes, *(settings[name].back if name in settings else ())])
        for number, name in enumerate(names, start=last + 1)
    }
    write_json(folder / FILE, evaluate_series(series, trials))

    def took(turn: str, result: Json) -> None:
        number, _, name = turn.partition("-")
        trials[int(number)] = (name, result)
        write_json(folder / FILE, evaluate_series(series, trials))

    compare.run_in_turn(turns, folder, took)
    return evaluate_series(series, trials)


def pair_trials(trials: Trials, name: str) -> list[tuple[Json, Json]]:
    """Return pairs of a trial of the profile and the adjacent trial without the setting; drop trials without such a neighbour."""
    found = []
    for number, (setting, result) in trials.items():
        beside = [trials[near][1] for near in (number + 1, number - 1) if trials.get(near, ("", {}))[0] == PROFILE]
        if setting == name and beside:
            found.append((beside[0], result))
    return found


def evaluate_series(series: Json, trials: Trials) -> Json:
    """Return the effect of each setting: a pure function of the results."""
    every, whole = [each for _, each in trials.values()], [each for name, each in trials.values() if name == PROFILE]
    found = {}
    for name, setting in series["settings"].items():
        there = pair_trials(trials, name)
        found[name] = {
            **{key: setting[key] for key in ("title", "back")},
            "trials": len(there),
            "unmeasured": [f"{without['verdict']}: {without['why']}" for _, without in there if without["verdict"] != "ok"],
            "metrics": compare.compare_metrics([base for base, _ in there], [without for _, without in there], METRICS),
        }
    return {
        "schema": SCHEMA,
        "kind": "failover-ablation",
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "asked": series["asked"],
        "profile": {**compare.describe_side(whole), "others": summarize_spread([each["others"]["failover"] for each in every])},
        "failed": sum(each["verdict"] == "failed" for each in every),
        "unended": sum(each["verdict"] == "unknown" for each in whole),
        "settings": found,
    }


def format_ablation(ablation: Mapping[str, Any]) -> str:
    """Return the ablation as text for a terminal: without / with each setting."""
    whole, sizes = ablation["profile"], ablation["asked"]["sizes"]
    what = f"{sizes['pods']} pods in {sizes['applications']} bindings, {sizes['nodes']} nodes, {whole['trials']} trials of it"
    head = f"{whole.get('name', '—')}: {what}"
    rows = [("without", "pairs", *METRICS.values())]
    lines = []
    for name, setting in ablation["settings"].items():
        rows.append(
            (f"{name}: {setting['title']}", str(setting["trials"]), *(format_cell(metric) for metric in setting["metrics"].values()))
        )
        lines += [f"without {name}: {why}" for why in setting["unmeasured"]]
    return "\n".join([head + compare.format_other_load(whole) if whole["trials"] else head, *align_rows(rows), *lines])


def format_cell(metric: Mapping[str, Any]) -> str:
    """Return one metric: the factor, its interval and the verdict."""
    if metric["factor"] is None:
        return "—"
    between = f" ({metric['low']:.2f} – {metric['high']:.2f})" if metric["low"] is not None else ""
    verdict = metric["verdict"]
    if metric["title"].startswith("CPU"):
        verdict = {"slower": "more", "faster": "less"}.get(verdict, verdict)
    return f"{metric['factor']:.2f} ×{between} {verdict}"


def get_exit_code(ablation: Mapping[str, Any]) -> int:
    """Return 1 when any trial lost or doubled a pod, 4 when a trial of the profile itself did not end, else 0."""
    return 1 if ablation["failed"] else 4 if ablation["unended"] else 0
