"""`make bench-failover`: how long pods take to move from a lost member to another, and what takes the time.

    python -m perf.failover [--shape small] [--profile tuned] [--fault apiserver] [--rounds N] [--set KEY=VALUE …]

Each round is one trial on its own lab (perf.trial). Samples are saved first, then evaluated (perf.result, perf.report), all in one folder
per trial. Exit codes: 0 ok; 1 a pod lost or doubled; 2 usage error; 3 not possible here; 4 a trial did not end; 6 slower than --goal;
130/143 interrupted. Samples taken before the end are kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import interrupt
from lab.errors import LabError
from lab.interrupt import Interrupted
from lab.limits.files import Files
from lab.limits.memory import free_memory
from perf import backend, faults, profile, report, shapes
from perf.faults import FAULTS, parse_fault
from perf.figures import parse_duration, parse_round_count
from perf.progress import say
from perf.samples import FILE
from perf.summary import format_markdown, format_result
from perf.trial import Trial, TrialPlan

RESULTS = Path("_artifacts/failover")
Json = dict[str, Any]


def build_parser() -> argparse.ArgumentParser:
    """Return the command-line parser."""
    parser = argparse.ArgumentParser(prog="python -m perf.failover", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shape", default="small", help=f"{', '.join(shapes.list_shapes())} (default small)")
    parser.add_argument(
        "--profile", default="tuned", help=f"{', '.join(profile.list_profiles())}, or the path of a lab file (default tuned)"
    )
    parser.add_argument("--fault", help=f"{', '.join(FAULTS)} (default: the shape's)")
    parser.add_argument("--rounds", type=parse_round_count, default=1, help="trials, one after the other (default 1)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change one key of the profile; may be repeated")
    parser.add_argument("--users", type=int, default=0, metavar="N", help="users that call the Karmada API during the failover (locust)")
    parser.add_argument("--backend", choices=backend.BACKENDS, default="kwok", help="what simulates the nodes (default kwok)")
    parser.add_argument("--mode", choices=["push", "pull"], help="how the members are joined (default push)")
    for name in ("nodes", "survivor-nodes", "applications", "replicas", "namespaces"):
        parser.add_argument(f"--{name}", type=int, metavar="N", help="override the shape's value")
    parser.add_argument("--limit-pods", type=int, help="pods that the limit is measured with; 0 skips it")
    parser.add_argument(
        "--timeout", dest="within", type=parse_duration, metavar="DURATION", help="how long a trial may take, as 90s or 30m"
    )
    parser.add_argument("--without-failover", action="store_true", help="measure that nothing moves while failover is off")
    parser.add_argument("--goal", type=float, help="times the limit that moving may take; more is a regression (exit code 6)")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"where results are kept (default {RESULTS})")
    return parser


def make_plan(options: argparse.Namespace, lab: str) -> TrialPlan:
    """Return the plan for these options; create nothing. Raise UsageError or NotPossible when it cannot be run."""
    sizes: dict[str, Any] = {
        key: getattr(options, key)
        for key in ("nodes", "survivor_nodes", "applications", "replicas", "namespaces", "limit_pods", "within", "mode")
    }
    shape = shapes.get_shape(options.shape, **sizes)
    how = parse_fault(options.fault or shape.fault)
    faults.check_fault(how, shape.mode)
    shape = shape.model_copy(update={"fault": how.kind})
    shapes.check_shape(shape, free_gib=free_memory(Files()).bytes / 2**30)
    kwok = options.backend == "kwok"
    if not kwok:
        backend.check_backend(shape)
    wanted = profile.prepare_lab(options.profile, shape, options.set, kwok=kwok)
    assert wanted.karmada is not None
    profile.check_failover_switches(wanted.karmada, without_failover=options.without_failover)
    return TrialPlan(
        lab=lab,
        shape_name=options.shape,
        shape=shape,
        profile=Path(options.profile).stem,
        changes=tuple(options.set),
        wanted=wanted,
        fault=how,
        users=options.users,
        kubemark=None if kwok else backend.resolve_kubemark(wanted.lab.kubernetes),
        objects=tuple(profile.read_objects(options.profile, options.set)),
        without_failover=options.without_failover,
    )


def run_trial(plan: TrialPlan, folder: Path, *, goal: float | None) -> Json:
    """Run one trial and return its result. Write the result beside the samples, whatever ended the trial."""
    under_way = Trial(plan, say)
    try:
        under_way.run(folder)
    finally:
        if (folder / FILE).exists():
            evaluation = report.evaluate_and_write(under_way.samples, folder, goal=goal)
            print(format_result(evaluation), flush=True)
            say(f"page: {folder / report.PAGE}")
    return evaluation


def get_exit_code(verdicts: Sequence[str]) -> int:
    """Return the exit code of the worst verdict."""
    codes = {"failed": 1, "unknown": 4, "missed": 6}
    return next((code for verdict, code in codes.items() if verdict in verdicts), 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, evaluate and report; return the exit code."""
    interrupt.install()
    options = build_parser().parse_args(argv)
    results = []
    try:
        for number in range(1, options.rounds + 1):
            plan = make_plan(options, f"failover-{os.getpid()}-{number}")
            say(f"round {number} of {options.rounds}: {plan.shape_name}, {plan.profile}, {plan.fault.kind}")
            folder = options.out / f"{time.strftime('%Y%m%dT%H%M%S')}-{plan.shape_name}-{plan.profile}"
            results.append(run_trial(plan, folder, goal=options.goal))
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Interrupted as stop:
        say(f"interrupted by {stop}")
        return stop.exit_code
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as page:
            page.write(format_markdown(results))
    return get_exit_code([each["verdict"] for each in results])


if __name__ == "__main__":
    sys.exit(main())
