"""`lab conformance`: check a running Karmada against the promises of Karmada."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from deployers.checks.conformance import ConformanceReport
from deployers.checks.conformance import conformance as examine
from deployers.checks.support_matrix import append_report
from deployers.karmada import Karmada
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption
from lab.cluster import Lab
from lab.diagnosis.diagnose import diagnose
from lab.diagnosis.examiner import LabExaminer
from lab.diagnosis.explain import put_cause_first
from lab.errors import TestsFailed, UsageError
from lab.hints import command
from lab.run import Run
from lab.status.lab_status import lab_status
from lab.terminal.text import Look, format_table, say
from lab.wait import examine_stalls

STYLES = {"pass": ("green",), "fail": ("red",), "unknown": ("yellow",)}


def conformance(lab: LabName = DEFAULT_LAB, output: OutputOption = Output.text) -> None:
    """Check that Karmada works.

    Checks CRDs, webhooks, aggregated API, leases and a Deployment on every member, and deletes what it created.
    Exit code 1 when a check fails or is inconclusive, 2 when the lab is not running.
    """
    run = Run.load(lab)
    if not run.asked.get("karmada"):
        raise UsageError(f"lab {lab} has no Karmada", remedy="add a [karmada] table to its lab file")
    if (seen := lab_status(run)).state in {"stopped", "failed"}:
        raise UsageError(f"lab {lab} is not running; start it first", where=seen.path, remedy=command("up", lab=lab))
    karmada = Karmada.open(Lab.open(run))
    with examine_stalls(LabExaminer(run)):
        report = examine(karmada)
    saved = report.save(run.path / "conformance.json")
    append_report(karmada, report)
    if output is Output.json:
        rows = [{**asdict(each), "outcome": each.outcome.value} for each in report.results]
        print(json.dumps({"schema": 1, "lab": lab, "results": rows}, indent=1))
    else:
        print("\n".join(picture(report, look=Look.of(sys.stdout))))
    say(f"saved in {saved}")
    try:
        report.demand()
    except TestsFailed as failed:
        put_cause_first(failed, diagnose(run).causes)
        raise


def picture(report: ConformanceReport, *, look: Look) -> list[str]:
    """Return the report as lines of a table."""
    rows = [("OUTCOME", "SECONDS", "PROMISE", "SEEN")]
    rows += [(each.outcome.value, f"{each.seconds:.1f}", each.name, " ".join(each.evidence.split())) for each in report.results]
    return format_table(rows, look=look, styles=STYLES)
