"""`lab report summary`: a run in Markdown for the summary of a CI job: verdict first, within GitHub's limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lab.count import count
from lab.masking.mask import mask
from lab.steps import StepOutcome
from lab.terminal.text import seconds_text
from reports.changes import list_changes
from reports.clusters import FailureCluster, make_clusters
from reports.evaluate import EvaluatedCell
from reports.files import replace_surrogates
from reports.links import WorkflowLinks
from reports.report import Report, group_by_reason

MOST = 900_000
"""Bytes: GitHub accepts 1 MiB for each step."""

CLUSTERS = 40
"""Causes that a summary lists."""
CELLS = 60
"""Cells that it lists for one cause."""
SIGN = {StepOutcome.PASS: "✅", StepOutcome.FAIL: "❌", StepOutcome.SKIP: "⚪", StepOutcome.UNKNOWN: "❔"}
OUTCOME_TEXT = {StepOutcome.FAIL: "failed", StepOutcome.UNKNOWN: "unknown", StepOutcome.PASS: "passed", StepOutcome.SKIP: "skipped"}
LOUD = {"regressed": "❌", "fixed": "✅", "unknown": "❔", "slower": "🐢", "faster": "⚡", "new": "➕", "gone": "➖"}


def format_summary(report: Report) -> str:
    """Return the run in Markdown."""
    lines = [
        *format_head(report),
        *format_clusters(report),
        *format_changes(report),
        *format_table(report.cells),
        *format_rest(report),
    ]
    text = replace_surrogates("\n".join(lines)) + "\n"
    if len(content := text.encode()) > MOST:
        text = content[:MOST].decode(errors="ignore").rpartition("\n")[0] + "\n\n… omitted the rest: see the pages of the report.\n"
    return text


def format_head(report: Report) -> Iterator[str]:
    """Yield the verdict."""
    yield f"## {format_verdict(report)}"
    yield ""
    if report.plan_error:
        yield f"> ❔ {escape_text(report.plan_error)}"
        yield ""
    if report.notes:
        yield f"> ⚠️ Some results are damaged or missing: {count(len(report.notes), 'note')} below."
        yield ""
    for flake in report.flakes.expired_entries:
        yield f"> ❌ Known-flake entry expired: {escape_text(flake.description)}"
        yield ""


def format_verdict(report: Report) -> str:
    """Return the run in one sentence: numbers of cells by outcome, failures first."""
    order = (StepOutcome.FAIL, StepOutcome.UNKNOWN, StepOutcome.PASS, StepOutcome.SKIP)
    parts = [f"{report.outcomes[outcome]} {OUTCOME_TEXT[outcome]}" for outcome in order if report.outcomes[outcome]]
    sign = next(SIGN[outcome] for outcome in order if report.outcomes[outcome])
    return f"{sign} {count(len(report.cells), 'cell')}: {', '.join(parts)}"


def format_table(cells: Sequence[EvaluatedCell]) -> Iterator[str]:
    """Yield one row a cell: first those that did not pass, then, folded, those that did."""
    passed = [each for each in cells if each.outcome is StepOutcome.PASS]
    rest = [each for each in cells if each.outcome is not StepOutcome.PASS]
    if rest:
        yield from format_rows(rest)
    if passed:
        yield f"<details><summary>{count(len(passed), 'cell')} passed</summary>"
        yield ""
        yield from format_rows(passed)
        yield "</details>"
        yield ""


def format_rows(cells: Sequence[EvaluatedCell]) -> Iterator[str]:
    """Yield a table with one row a cell."""
    yield "| | cell | tests | up | time | |"
    yield "|---|---|---|---|---|---|"
    for each in cells:
        number = each.tally
        up = seconds_text(each.up_seconds) if each.up_seconds else ""
        took = seconds_text(each.cell.seconds) if each.cell.seconds else ""
        why = "" if each.outcome is StepOutcome.PASS and not each.before else escape_text(each.reason)
        tests = f"{number[StepOutcome.PASS]}/{number.total() - number[StepOutcome.SKIP]}" if number else ""
        yield f"| {SIGN[each.outcome]} {each.outcome.value} | {escape_text(each.cell.name)} | {tests} | {up} | {took} | {why} |"
    yield ""


def format_clusters(report: Report) -> Iterator[str]:
    """Yield every cause with its owner, since when it fails, the cells that it fails, and how to run one of them."""
    found = make_clusters(report)
    if not found:
        return
    links = WorkflowLinks.from_environment()
    yield f"### {count(len(found), 'cause')} of {count(sum(len(each.failures) for each in found), 'failure')}"
    yield ""
    for each in found[:CLUSTERS]:
        yield from format_cluster(each, links)
    if len(found) > CLUSTERS:
        yield f"… and {len(found) - CLUSTERS} more, in the pages."
    yield ""


def format_cluster(cluster: FailureCluster, links: WorkflowLinks) -> Iterator[str]:
    """Yield one cause."""
    judged = cluster.example
    flake = " · known flake" if cluster.is_flake else ""
    retried = " · may be retried" if judged.classification.may_retry else ""
    cells = escape_text(cluster.cells[0]) if len(cluster.cells) == 1 else f"**{count(len(cluster.cells), 'cell')}**"
    more = f" and {len(cluster.names) - 1} more" if len(cluster.names) > 1 else ""
    since = f"[{cluster.since_text}]({where})" if (where := links.run(cluster.since.run) if cluster.since else "") else cluster.since_text
    yield f"- **{judged.classification.owner.value}**{flake}{retried} · {format_code(judged.failure.name)}{more} · {cells} · {since}  "
    yield f"  {escape_text(judged.failure.cause)}  "
    yield f"  <sub>{escape_text(judged.classification.because)}</sub>  "
    if cluster.others:
        yield f"  <sub>{count(cluster.others, 'other test')} failed for the same reason</sub>  "
    yield f"  <sub>Reproduce: {format_code(cluster.command)}</sub>"
    if len(cluster.cells) > 1:
        yield f"  <details><summary>{count(len(cluster.cells), 'cell')}</summary>{escape_text(', '.join(cluster.cells[:CELLS]))}</details>"


def format_changes(report: Report) -> Iterator[str]:
    """Yield the changes since the previous run."""
    if not report.history.rows:
        yield "_No earlier run to compare with._"
        yield ""
        return
    found = list_changes(report.history.rows[-1], report.row)
    if not found:
        yield f"_Nothing changed since run {escape_text(report.history.rows[-1].run)}._"
        yield ""
        return
    yield f"<details><summary>{count(len(found), 'change')} since run {escape_text(report.history.rows[-1].run)}</summary>"
    yield ""
    for change in found:
        what = f" {format_code(change.test)}" if change.test else ""
        yield f"- {LOUD[change.kind]} {change.kind} · {escape_text(change.cell)}{what} · {escape_text(change.detail)}"
    yield ""
    yield "</details>"
    yield ""


def format_rest(report: Report) -> Iterator[str]:
    """Yield the omitted cells by reason, the omitted parts, and notes on damaged results."""
    if report.left_out:
        yield f"<details><summary>{count(len(report.left_out), 'cell')} of the matrix omitted</summary>"
        yield ""
        yield from (f"- {len(found)} × {escape_text(why)}" for why, found in group_by_reason(report.left_out))
        yield ""
        yield "</details>"
        yield ""
    if omitted := report.omissions:
        yield f"<details><summary>{count(len(omitted), 'part')} of these results omitted</summary>"
        yield ""
        yield from (f"- {escape_text(what)}" for what in omitted)
        yield ""
        yield "</details>"
        yield ""
    if report.notes:
        yield f"<details><summary>{count(len(report.notes), 'note')} on these results</summary>"
        yield ""
        yield from (f"- {escape_text(note)}" for note in report.notes)
        yield ""
        yield "</details>"


def escape_text(text: str) -> str:
    """Return a text for one line of Markdown: masked, with markup and table separators escaped."""
    line = " ".join(mask(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~@#])", r"\\\1", line[:500])


def format_code(text: str) -> str:
    """Return a name as inline code, with backticks replaced."""
    return "`" + " ".join(mask(text).split()).replace("`", "'").replace("|", "¦") + "`"
