"""What each setting of a profile is worth: measured beside the profile without it, in turn on one computer.

    python -m perf.worth [--profile tuned] [--shape short] [--rounds 5] [--only NAME …]
    python -m perf.worth --into FOLDER --rounds 1       more rounds of the same, also after an interrupt
    python -m perf.judge FOLDER                         judged again

A round is one trial of the profile as it is, and one for each of its settings (perf/profiles/*.settings.toml) with that one taken back to
the default of Karmada or Kubernetes. Each round begins elsewhere in that list and goes the other way round than the one before. A trial is
paired with the profile's own of its round: what is told is without over with, interval and verdict of perf.stats. A trial that is too slow
is ended by the shape's time, and told. Exit codes as of perf.failover; 4 when a trial of the profile itself did not end.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab import interrupt
from lab.errors import LabError, UsageError
from lab.interrupt import Interrupted
from lab.run import write_json
from perf import compare, failover, profile
from perf.profile import Setting
from perf.progress import say
from perf.report import RESULT
from perf.summary import aligned

SCHEMA = 1
FILE = "worth.json"
PROFILE = "profile"
"""What the trials of the profile as it is are called."""
METRICS = {
    "moving_seconds": "T3→T8, s",
    "total_seconds": "T0→T8, s",
    "cpu_of_karmada": "CPU of Karmada, ms a pod",
    "cpu_of_survivor": "CPU of the survivor, ms a pod",
}
Json = dict[str, Any]
Rounds = dict[int, dict[str, Json]]
"""Results by number of the round and by setting."""


def words() -> argparse.ArgumentParser:
    """Return the command line: that of perf.failover, which settings, and where to go on."""
    parser = failover.words()
    parser.prog, parser.description = "python -m perf.worth", (__doc__ or "").partition("\n")[0]
    parser.set_defaults(rounds=5, shape="short", limit_pods=0)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these settings alone")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="more rounds of what this folder holds")
    return parser


def chosen(options: argparse.Namespace) -> dict[str, Setting]:
    """Return the settings to measure. UsageError names those there are."""
    there = profile.settings(options.profile)
    if unknown := [name for name in options.only or [] if name not in there]:
        raise UsageError(f"profile {options.profile} has no setting {', '.join(unknown)}", remedy=f"one of: {', '.join(there)}")
    return {name: each for name, each in there.items() if not options.only or name in options.only}


def order(names: Sequence[str], number: int) -> list[str]:
    """Return who goes when in a round, numbered from 1: each begins elsewhere and goes the other way round than the one before."""
    whole = [PROFILE, *names]
    turn = 3 * (number - 1) % len(whole)
    turned = [*whole[turn:], *whole[:turn]]
    return turned if number % 2 else turned[::-1]


def begun(options: argparse.Namespace, settings: Mapping[str, Setting], folder: Path) -> Json:
    """Return the document of a series, new or gone on with. UsageError when what is asked now is not alike."""
    asked = json.loads(json.dumps(failover.planned(options, "failover-check").head()))
    given = {name: {"title": each.title, "back": list(each.back)} for name, each in settings.items()}
    if options.into is None:
        return {"asked": asked, "settings": given}
    try:
        series = json.loads((folder / FILE).read_text())
        before, known = series["asked"], series["settings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"no rounds to go on with: {error}", where=str(folder), remedy="name a folder that perf.worth wrote") from error
    unlike = [key for key in asked if asked[key] != before.get(key)]
    unlike += [name for name in given if name in known and known[name]["back"] != given[name]["back"]]
    if unlike:
        raise UsageError(
            f"not the same any more: {', '.join(unlike)}",
            where=str(folder),
            remedy="the same words and profile again, or a folder of its own",
        )
    return {"asked": asked, "settings": {**known, **given}}


def saved(folder: Path) -> Rounds:
    """Return the results that a folder holds. What cannot be read is passed over, and a trial that somebody interrupted."""
    rounds: Rounds = {}
    for path in sorted(folder.glob(f"*-*/{RESULT}")):
        number, _, name = path.parent.name.partition("-")
        try:
            result = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if number.isdecimal() and not result["stopped_by"].startswith("SIG"):
            rounds.setdefault(int(number), {})[name] = result
    return rounds


def measure(options: argparse.Namespace, settings: Mapping[str, Setting], folder: Path) -> Json:
    """Run the rounds; return what they say. It is written anew after each trial, so an interrupt loses none."""
    series, rounds = begun(options, settings, folder), saved(folder)
    first = max(rounds, default=0) + 1
    turns = {
        f"{number:02d}-{name}": compare.changed(options, settings[name].back if name in settings else ())
        for number in range(first, first + options.rounds)
        for name in order(list(settings), number)
    }
    write_json(folder / FILE, judged(series, rounds))

    def took(turn: str, result: Json) -> None:
        number, _, name = turn.partition("-")
        rounds.setdefault(int(number), {})[name] = result
        write_json(folder / FILE, judged(series, rounds))

    compare.in_turn(turns, folder, took)
    return judged(series, rounds)


def judged(series: Json, rounds: Mapping[int, Mapping[str, Mapping[str, Any]]]) -> Json:
    """Return what the rounds say of each setting: a pure function of their results."""
    there = [each[PROFILE] for each in rounds.values() if PROFILE in each]
    found = {}
    for name, setting in series["settings"].items():
        pairs = [(each[PROFILE], each[name]) for each in rounds.values() if PROFILE in each and name in each]
        found[name] = {
            **{key: setting[key] for key in ("title", "back")},
            "trials": len(pairs),
            "unmeasured": [f"{without['verdict']}: {without['why']}" for _, without in pairs if without["verdict"] != "ok"],
            "metrics": compare.paired([base for base, _ in pairs], [without for _, without in pairs], METRICS),
        }
    return {
        "schema": SCHEMA,
        "kind": "failover-worth",
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "asked": series["asked"],
        "rounds": len(rounds),
        "profile": compare.described(there),
        "failed": sum(each["verdict"] == "failed" for results in rounds.values() for each in results.values()),
        "unended": sum(each["verdict"] == "unknown" for each in there),
        "settings": found,
    }


def text(worth: Mapping[str, Any]) -> str:
    """Return what was found as a terminal shows it: without the setting over with it."""
    whole, sizes = worth["profile"], worth["asked"]["sizes"]
    what = f"{sizes['pods']} pods in {sizes['applications']} bindings, {sizes['nodes']} nodes, {worth['rounds']} rounds"
    head = f"{whole.get('name', '—')}: {what}"
    rows = [("without", *METRICS.values())]
    lines = []
    for name, setting in worth["settings"].items():
        rows.append((f"{name}: {setting['title']}", *(cell(metric) for metric in setting["metrics"].values())))
        lines += [f"without {name}: {why}" for why in setting["unmeasured"]]
    return "\n".join([head + compare.beside(whole) if whole["trials"] else head, *aligned(rows), *lines])


def cell(metric: Mapping[str, Any]) -> str:
    """Return one figure: the factor, its interval, and what that means."""
    if metric["factor"] is None:
        return "—"
    between = f" ({metric['low']:.2f} – {metric['high']:.2f})" if metric["low"] is not None else f" (of {metric['pairs']})"
    said = metric["verdict"]
    if metric["title"].startswith("CPU"):
        said = {"slower": "more", "faster": "less"}.get(said, said)
    return f"{metric['factor']:.2f} ×{between} {said}"


def exit_code(worth: Mapping[str, Any]) -> int:
    """Return 1 when a pod was lost or doubled in any trial, 4 when one of the profile itself did not end, else 0."""
    return 1 if worth["failed"] else 4 if worth["unended"] else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, judge, report; return the exit code."""
    interrupt.install()
    options = words().parse_args(argv)
    folder = options.into or options.out / f"{time.strftime('%Y%m%dT%H%M%S')}-worth-{options.shape}"
    try:
        found = measure(options, chosen(options), folder)
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Interrupted as stop:
        say(f"interrupted by {stop}; what was measured is in {folder}, and goes on with --into")
        return stop.exit_code
    print(text(found))
    print(f"\nkept in {folder}")
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
