"""The conformance checks of a running Karmada, the same after every deployer.

Each check exercises the running system and reads no file or pod status in its place: a conversion must come back from the webhook, and a
propagated Deployment must run on a member. Checks run in parallel, delete what they create, and end in pass, fail, or unknown with a
reason: what could not be measured never passes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from deployers.checks import control_plane, members
from deployers.checks.control_plane import CheckFailed, CheckInconclusive
from deployers.karmada import Karmada
from lab.count import count
from lab.errors import LabError, TestsFailed
from lab.hints import command
from lab.run import write_json
from lab.steps import StepOutcome


@dataclass(frozen=True)
class Check:
    """One promise.

    `ask` returns short evidence. It raises CheckFailed when the promise is broken, CheckInconclusive when it cannot be tested; any
    other LabError counts as CheckFailed.
    """

    name: str
    ask: Callable[[Karmada], str]


@dataclass(frozen=True)
class CheckResult:
    """The result of one check."""

    name: str
    outcome: StepOutcome
    seconds: float
    evidence: str


@dataclass(frozen=True)
class ConformanceReport:
    """The results of all checks, in their order."""

    results: tuple[CheckResult, ...]
    lab: str | None = None
    """The lab that it is about."""

    @property
    def failed(self) -> list[CheckResult]:
        """The checks that are not green: failures first, then what could not be measured."""
        return sorted(
            (each for each in self.results if each.outcome is not StepOutcome.PASS), key=lambda each: each.outcome is StepOutcome.UNKNOWN
        )

    def demand(self) -> ConformanceReport:
        """Return this report if every promise holds; TestsFailed names each that does not, or could not be measured."""
        if failed := self.failed:
            raise TestsFailed(
                f"{len(failed)} of {count(len(self.results), 'promise')} of Karmada do not hold",
                detail="\n".join(f"{each.outcome.value:7} {each.name}: {each.evidence}" for each in failed),
                remedy=f"the logs of its programs: {command('logs', 'karmada', lab=self.lab)}",
            )
        return self

    def save(self, path: Path) -> Path:
        """Write the report as JSON and return its path."""
        write_json(path, {"results": [{**asdict(each), "outcome": each.outcome.value} for each in self.results]})
        return path

    def __str__(self) -> str:
        return json.dumps([{**asdict(each), "outcome": each.outcome.value} for each in self.results], indent=1)


PLANE: tuple[Check, ...] = (
    Check("CRDs are established", control_plane.check_crds),
    Check("the conversion webhook converts", control_plane.check_conversion),
    Check("the admission webhooks refuse and complete", control_plane.check_admission),
    Check("all admission webhooks of the release are configured", control_plane.check_webhooks),
    Check("the aggregated API is available", control_plane.check_aggregated_apis),
    Check("each controller holds its lease", control_plane.check_leases),
    Check("no component was restarted", control_plane.check_restarts),
    Check("clusters can find the way to register", control_plane.cluster_info_public),
)
MEMBERS: tuple[Check, ...] = (
    Check("every member is Ready", members.check_members_ready),
    Check("the aggregated API leads to every member", members.check_proxy),
    Check("a Deployment runs on every member and its status comes back", members.check_propagation),
)
ESTIMATORS = (Check("the scheduler calls the estimator of every member", members.check_estimators),)


def applicable_checks(karmada: Karmada) -> Sequence[Check]:
    """Return the checks that apply: those of members and of estimators where there are to be any."""
    spec = karmada.spec
    return (*PLANE, *(MEMBERS if spec.members else ()), *(ESTIMATORS if spec.addons.estimators else ()))


def conformance(karmada: Karmada, *, among: Sequence[Check] | None = None) -> ConformanceReport:
    """Run all checks in parallel and return their results. Failed checks raise nothing here, but in `ConformanceReport.demand`."""
    chosen = applicable_checks(karmada) if among is None else among
    with ThreadPoolExecutor(max(1, len(chosen)), thread_name_prefix="check") as pool:
        return ConformanceReport(tuple(pool.map(lambda check: run_check(check, karmada), chosen)), karmada.run.id)


def run_check(check: Check, karmada: Karmada) -> CheckResult:
    """Run one check and return its result."""
    began = time.monotonic()
    try:
        outcome, evidence = StepOutcome.PASS, check.ask(karmada)
    except CheckInconclusive as unmeasured:
        outcome, evidence = StepOutcome.UNKNOWN, str(unmeasured)
    except (CheckFailed, LabError) as broken:
        outcome, evidence = StepOutcome.FAIL, str(broken)
    return CheckResult(check.name, outcome, round(time.monotonic() - began, 3), evidence)
