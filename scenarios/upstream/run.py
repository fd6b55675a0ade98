"""Run upstream's suite on a lab, from its compiled program to its cases."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from deployers.karmada import Karmada
from lab.masking.mask_text import mask_text
from lab.run import write_json, write_private
from lab.supervisor.client import Supervisor
from lab.terminal.drawing import open_drawing
from scenarios.upstream import execute
from scenarios.upstream.fixtures import check, is_real, set_up
from scenarios.upstream.known import KnownSpecs
from scenarios.upstream.plan import SuitePlan, make_plan
from scenarios.upstream.suite import UpstreamSuite
from scenarios.upstream.verdict import SuiteVerdict, judge


@dataclass(frozen=True)
class SuiteRun:
    """A run: `stop` is the interrupt that cut it short, for the caller to raise after it has reported the results."""

    plan: SuitePlan
    verdict: SuiteVerdict
    stop: BaseException | None = None


def run_suite(karmada: Karmada, *, focus: str, artifacts: str | Path, tell: Callable[[str], object]) -> SuiteRun:
    """Run the suite of this lab's release on the lab and return the result. Leave the lab as it was.

    UsageError when the lab does not meet the suite's requirements, or the focus matches no spec.
    """
    check(karmada)
    with open_drawing(f"upstream's suite of {karmada.release}", env={**os.environ, "CI": "true"}) as screen:
        suite = UpstreamSuite.of(karmada.spec.release, replace(karmada.supply, progress=screen.progress))
    known = KnownSpecs.load().of(provider=karmada.lab.spec.provider, release=karmada.release.version)
    planned = make_plan(suite.specs(), known, focus=focus)
    processes = execute.WITH_PODS if any(is_real(member, karmada) for member in karmada.members) else execute.PROCESSES
    tell(f"upstream's suite of {karmada.release}: {len(planned.run)} of {planned.total} specs, {processes} at once")
    before = count_restarts(karmada)
    with set_up(karmada) as env:
        report, stop = execute.execute(suite, planned, karmada, env, tell=tell, processes=processes)
    verdict = judge(planned, report, cut_short=stop is not None)
    again = [f"{name} ended on its own and was restarted" for name, count in count_restarts(karmada).items() if count > before.get(name, 0)]
    verdict = SuiteVerdict(verdict.cases, [*verdict.wrong, *again], verdict.notes)
    keep(karmada, verdict, Path(artifacts) / karmada.run.id / "upstream")
    tell(
        f"upstream's suite: {', '.join(f'{count} {word}' for word, count in verdict.counted().items())}; {Path(artifacts) / karmada.run.id}"
    )
    for line in (*verdict.notes, *verdict.wrong):
        tell(line)
    return SuiteRun(planned, verdict, stop)


def count_restarts(karmada: Karmada) -> dict[str, int]:
    """Return the restart count of each program of the lab: upstream's CI fails a run with restarts (hack/run-e2e.sh)."""
    status = Supervisor(karmada.run.path).status()
    return {name: state.restarts for name, state in status.programs.items()} if status else {}


def keep(karmada: Karmada, verdict: SuiteVerdict, folder: Path) -> None:
    """Save the result of each spec and ginkgo's output, masked, in a folder that outlives the lab."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "file": each.spec.file,
            "line": each.spec.line,
            "name": each.spec.name,
            "outcome": each.outcome.value,
            "seconds": each.seconds,
            "why": each.why,
        }
        for each in verdict.cases
    ]
    write_json(folder / "specs.json", {"schema": 1, "release": str(karmada.release), "wrong": list(verdict.wrong), "specs": rows})
    log = karmada.run.log(execute.NAME)
    if log.exists():
        write_private(folder / "ginkgo.log", mask_text(log.read_text(errors="replace")).encode(), mode=0o644)
