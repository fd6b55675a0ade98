"""How long pods take to move from a lost member to another, and what takes the time.

    lab bench failover [--shape small] [--profile tuned] [--fault apiserver] [--rounds N] [--set KEY=VALUE …]

Each round is one trial on its own lab (perf.trial). Samples are saved first, then evaluated (perf.result, perf.report), all in one folder
per trial. Exit codes: 0 ok; 1 a pod lost or doubled; 2 usage error; 3 not possible here; 4 a trial did not end; 6 slower than --goal;
130/143 interrupted. Samples taken before the end are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.limits.files import Files
from lab.limits.memory import free_memory
from perf import backend, faults, profile, report, shapes
from perf.faults import parse_fault
from perf.progress import say
from perf.request import TrialRequest
from perf.samples import FILE
from perf.summary import format_result
from perf.trial import Trial, TrialPlan

Json = dict[str, Any]


def make_plan(request: TrialRequest, lab: str) -> TrialPlan:
    """Return the plan of a requested trial; create nothing. Raise UsageError or NotPossible when it cannot be run."""
    sizes: dict[str, Any] = {
        key: getattr(request, key)
        for key in ("nodes", "survivor_nodes", "applications", "replicas", "namespaces", "limit_pods", "within", "mode")
    }
    shape = shapes.get_shape(request.shape, **sizes)
    how = parse_fault(request.fault or shape.fault)
    faults.check_fault(how, shape.mode)
    shape = shape.model_copy(update={"fault": how.kind})
    shapes.check_shape(shape, free_gib=free_memory(Files()).bytes / 2**30)
    kwok = request.backend == "kwok"
    if not kwok:
        backend.check_backend(shape)
    wanted = profile.prepare_lab(request.profile, shape, request.changes, kwok=kwok)
    assert wanted.karmada is not None
    profile.check_failover_switches(wanted.karmada, without_failover=request.without_failover)
    return TrialPlan(
        lab=lab,
        shape_name=request.shape,
        shape=shape,
        profile=Path(request.profile).stem,
        changes=tuple(request.changes),
        wanted=wanted,
        fault=how,
        users=request.users,
        kubemark=None if kwok else backend.resolve_kubemark(wanted.lab.kubernetes),
        objects=tuple(profile.read_objects(request.profile, request.changes)),
        without_failover=request.without_failover,
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
