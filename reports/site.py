"""`lab report build`: write a Report as pages that open from disk, without a server, scripts or downloads.

    index.html     the verdict, failures, what changed, the matrix        failures.html  every failure with its evidence
    trends.html    flake rates, durations and benchmarks over runs        cells/NAME.html  one cell: up's critical path, its tests
    history.jsonl  this run's results, for the next report                cells/NAME/…   its evidence, masked again

Each page contains its own style; its content security policy forbids everything else. Every value that a template inserts is masked.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lab.count import count
from lab.masking.mask import mask
from lab.run import write_private
from lab.steps import StepOutcome
from lab.terminal.text import bytes_text, seconds_text
from reports.cases import Case
from reports.cell import PARTS
from reports.changes import Change, get_figure_points, list_changes, list_flaky_tests
from reports.clusters import make_clusters
from reports.evaluate import ClassifiedFailure, EvaluatedCell
from reports.failure import Failure
from reports.figures import Figure
from reports.history import WINDOW, HistoryRow
from reports.journal import BringUp
from reports.junit_results import BAD_AT_MOST
from reports.links import WorkflowLinks
from reports.matrix import make_matrix
from reports.report import Report, group_by_reason
from reports.writer import MaskingWriter

TEMPLATES = Path(__file__).parent / "templates"
PAGES = (("Run", "index.html"), ("Failures", "failures.html"), ("Trends", "trends.html"))
SIGN = {StepOutcome.PASS: "✓", StepOutcome.FAIL: "✕", StepOutcome.SKIP: "–", StepOutcome.UNKNOWN: "?"}
WORD = {StepOutcome.PASS: "passed", StepOutcome.FAIL: "failed", StepOutcome.SKIP: "skipped", StepOutcome.UNKNOWN: "unknown"}
ORDER = (StepOutcome.FAIL, StepOutcome.UNKNOWN, StepOutcome.PASS, StepOutcome.SKIP)
LISTED_AT_MOST = 2000
"""Tests that passed or were skipped, and steps of one `up`, that a page lists."""

SLUG_AT_MOST = 150
MOST_CHARACTERS = 20_000
"""Characters from the end of a failure's output that a page shows."""

EVIDENCE_AT_MOST = 24 << 20
"""Bytes of evidence that the site includes for each cell."""


def write_site(report: Report, folder: Path) -> None:
    """Write the site, replacing the pages of an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "cells", ignore_errors=True)
    folders = {each.cell.name: copy_evidence(each, folder) for each in report.cells}
    env = make_environment()
    shared = {"report": report, "pages": PAGES, "folders": folders, "style": Markup((TEMPLATES / "style.css").read_text())}  # noqa: S704 (our own file)

    def page(template: str, path: str, root: str = "", **values: Any) -> None:
        text = env.get_template(template).render(shared, here=path, root=root, **values)
        write_private(folder / path, text.encode(errors="replace"), mode=0o644)

    failures = sorted((judged for each in report.cells for judged in each.failures), key=lambda judged: judged.flake is not None)
    page("index.html", "index.html", **make_index(report), clusters=make_clusters(report), links=WorkflowLinks.from_environment())
    page("failures.html", "failures.html", failures=failures, owners=count_owners(failures))
    page("trends.html", "trends.html", **make_trends(report))
    for each in report.cells:
        page(
            "cell.html",
            get_page(each.cell.name),
            "../",
            each=each,
            facts=list(list_facts(each)),
            folder=folders[each.cell.name],
            trials=list_trials(each),
            groups=group_tests(each),
            unlisted=sum(each.tally.values()) - sum(len(cases) for _, _, cases in group_tests(each)),
            most=LISTED_AT_MOST,
        )
    report.kept.write(folder / "history.jsonl")


def copy_evidence(each: EvaluatedCell, folder: Path) -> str:
    """Copy a cell's evidence of failures, including earlier attempts, into the site. Return its folder, as pages link to it."""
    into = get_page(each.cell.name).removesuffix(".html")
    writer = MaskingWriter(folder / into, largest=1 << 20, total=EVIDENCE_AT_MOST)
    judged = [one for attempt in (*each.before, each) for one in attempt.failures]
    for path in dict.fromkeys(path for one in judged for path in one.failure.evidence):
        writer.tree(path, path.name)
    for path in each.pages:
        writer.file(path, f"perf/{path.relative_to(each.cell.path / 'perf')}")
    return into


# -- what the pages show -------------------------------------------------------------------------------------------------------------


def make_index(report: Report) -> dict[str, Any]:
    """Return the template values of the first page."""
    before = report.history.rows[-1] if report.history.rows else None
    return {
        "verdict": format_verdict(report),
        "tally": [(outcome, report.outcomes[outcome]) for outcome in ORDER if report.outcomes[outcome]],
        "matrix": make_matrix(report),
        "before": before,
        "changes": list_changes(before, report.row) if before else [],
        "left_out": group_by_reason(report.left_out),
        "revision": ", ".join(sorted({each.cell.revision[:12] for each in report.cells if each.cell.revision})),
    }


def format_verdict(report: Report) -> str:
    """Return the run in one sentence."""
    number = report.outcomes
    if number[StepOutcome.FAIL]:
        return f"{number[StepOutcome.FAIL]} of {count(len(report.cells), 'cell')} failed"
    if report.flakes.expired_entries:
        return f"No cell failed, but {count(len(report.flakes.expired_entries), 'known flake')} expired"
    if report.plan_error:
        return f"Nothing failed in {count(len(report.cells), 'cell')}, but the plan could not be read: cells may be missing"
    if number[StepOutcome.UNKNOWN]:
        return f"Nothing failed, but {number[StepOutcome.UNKNOWN]} of {count(len(report.cells), 'cell')} are unknown"
    return f"All {count(len(report.cells), 'cell')} passed" if number[StepOutcome.PASS] else "Nothing was run"


def count_owners(failures: Sequence[ClassifiedFailure]) -> list[tuple[str, int]]:
    """Return the number of failures of each owner."""
    return Counter(judged.classification.owner.value for judged in failures).most_common()


def list_facts(each: EvaluatedCell) -> Iterator[tuple[str, str]]:
    """Yield the facts of a cell as (name, value)."""
    cell = each.cell
    yield from ((part, getattr(cell, part)) for part in PARTS if getattr(cell, part))
    if cell.started:
        yield "started", format_time(cell.started) + (f", {seconds_text(cell.seconds)}" if cell.seconds else "")
    if cell.exit_code is not None:
        yield "exit code", str(cell.exit_code)
    if each.tally:
        tests = ", ".join(f"{each.tally[outcome]} {WORD[outcome]}" for outcome in ORDER if each.tally[outcome])
        yield "tests", f"{tests}; {format_duration(each.tests)}"
    if cell.attempt > 1:
        yield "attempt", str(cell.attempt)
    if cell.revision:
        yield "revision", cell.revision
    if machine := ", ".join(f"{name} {value}" for name, value in cell.machine.items() if value):
        yield "machine", machine


def group_tests(each: EvaluatedCell) -> list[tuple[str, str, list[Case]]]:
    """Return (file or class, duration, tests) of the tests that a page lists: failed and unknown tests first, others up to the limit."""
    room = Counter({True: BAD_AT_MOST, False: LISTED_AT_MOST})
    groups: dict[str, list[Case]] = {}
    for case in each.tests:
        good = case.outcome in {StepOutcome.PASS, StepOutcome.SKIP}
        room[not good] -= 1
        if room[not good] >= 0:
            groups.setdefault(case.home, []).append(case)
    return [(home, format_duration(cases), cases) for home, cases in sorted(groups.items())]


def format_duration(tests: Sequence[Case]) -> str:
    """Return the total duration of tests, and the number of tests without a known duration."""
    lost = sum(case.seconds is None for case in tests)
    took = seconds_text(sum(case.seconds or 0.0 for case in tests))
    return f"{took}, and {count(lost, 'test')} of unknown duration" if lost else took


def list_trials(each: EvaluatedCell) -> list[tuple[str, str]]:
    """Return (name, link) of each page that a benchmark wrote, below the cell's folder of the site."""
    names = [mask(str(path.relative_to(each.cell.path / "perf"))) for path in each.pages]
    return [(name.removesuffix("/report.html"), f"perf/{name}") for name in names]


def make_trends(report: Report) -> dict[str, Any]:
    """Return the template values of the trends page."""
    rows = [*report.history.rows, report.row][-WINDOW:]
    units = {f"{each.cell.name}: {figure.name}": figure.unit for each in report.cells for figure in each.figures}
    names = dict.fromkeys(name for row in reversed(rows) for name in row.figures)
    found = [(name, points) for name in sorted({name for row in rows for name in row.cells}) if (points := get_bring_up_points(rows, name))]
    return {
        "rows": rows,
        "flaky": list_flaky_tests(rows),
        "known": report.flakes.known,
        "bring_ups": sorted(found, key=lambda item: -(compute_growth(item[1]) or 0.0)),  # stable: by name where nothing changed
        "figures": [(name, units.get(name, ""), get_figure_points(rows, name)) for name in names],
    }


def get_bring_up_points(rows: Sequence[HistoryRow], name: str) -> list[tuple[float, float]]:
    """Return (time, seconds of up) of a cell over runs."""
    return [(row.at, past.up) for row in rows if (past := row.cells.get(name)) and past.up]


# -- filters of the templates --------------------------------------------------------------------------------------------------------


@cache
def make_environment() -> Environment:
    """Return the template environment, which masks and then escapes every value."""

    def masked(value: Any) -> Any:
        return mask(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    env = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=masked, trim_blocks=True)
    env.filters.update(FILTERS)
    return env


def get_page(name: str) -> str:
    """Return the page of a cell."""
    return f"cells/{make_slug(name)}.html"


def make_slug(text: str) -> str:
    """Return a text that is safe in a link, a file name or an id, unique for each input."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", mask(text)).strip("-.")[:SLUG_AT_MOST]
    return plain if plain == text else f"{plain or 'cell'}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"


def make_anchor(failure: Failure) -> str:
    """Return the id of a failure on its page."""
    return make_slug(f"{failure.cell}-{failure.name}-{failure.phase}")


def format_time(at: float) -> str:
    """Return a time for readers."""
    return time.strftime("%-d %b %Y, %H:%M UTC", time.gmtime(at)) if at else "at an unknown time"


def format_brief(each: EvaluatedCell) -> str:
    """Return a short description of a cell: tests passed and duration, or why it ran no tests."""
    if each.failures and not each.cases:
        return each.failures[0].classification.owner.value
    if each.notes and not each.cases:
        return "no results" if each.cell.broken else "broken results"
    parts = []
    if number := each.tally:
        parts.append(f"{number[StepOutcome.PASS]} of {number.total() - number[StepOutcome.SKIP]} tests")
        parts += [f"{number[outcome]} {WORD[outcome]}" for outcome in (StepOutcome.UNKNOWN, StepOutcome.SKIP) if number[outcome]]
    if each.figures and not each.tests:
        parts.append(count(len(each.figures), "figure"))
    if each.cell.seconds or each.up_seconds:
        parts.append(seconds_text(each.cell.seconds or each.up_seconds or 0.0))
    if each.cell.attempt > 1:
        parts.append(f"attempt {each.cell.attempt}")
    return ", ".join(part.replace(" ", "\u00a0") for part in parts)  # so that no line breaks within a duration


def get_span(up: BringUp) -> float:
    """Return the seconds that the chart of a bring-up spans."""
    return max(up.ended - up.began, 0.001)


def get_tail(text: str) -> str:
    """Return the end of a long text. Mask it before cutting: a mask cannot recognise half a key."""
    text = mask(text)
    return text if len(text) <= MOST_CHARACTERS else f"… {len(text) - MOST_CHARACTERS} characters before\n{text[-MOST_CHARACTERS:]}"


def list_files(path: Path, folder: str) -> list[tuple[str, str]]:
    """Return (name, link) of each file of a collection of evidence, logs first."""
    names = [str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()] if folder else []
    order = sorted(names, key=lambda name: (not name.startswith("logs/"), name.endswith(".jsonl"), name))
    return [(mask(name), f"{folder}/{mask(path.name)}/{mask(name)}") for name in order]


def make_polyline(points: Sequence[tuple[float, float]]) -> str:
    """Return the points of a chart 100 wide and 40 high, from zero, with even distances between runs."""
    top = max((value for _, value in points), default=0.0) or 1.0
    wide = max(len(points) - 1, 1)
    drawn = [(100 * number / wide, 39 - 36 * value / top) for number, (_, value) in enumerate(points)]
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in drawn)


def compare_with_median(points: Sequence[tuple[float, float]]) -> str:
    """Return a comparison of the last value with the median of the earlier ones."""
    if len(points) < 2:
        return "first measurement"
    before, share = count(len(points) - 1, "run") + " before", compute_growth(points)
    if share is None:
        return before
    return f"{round(share * 100):+d} % against the median of {before}" if share else f"as the median of {before}"


def compute_growth(points: Sequence[tuple[float, float]]) -> float | None:
    """Return by which share the last value exceeds the median of the earlier ones; None without a median other than zero."""
    median = statistics.median([value for _, value in points[:-1]]) if len(points) > 1 else 0.0
    return points[-1][1] / median - 1 if median else None


def shorten_benchmark(name: str) -> str:
    """Return the name of a figure of the history, without the cell's name where the figure's name contains it."""
    cell, _, figure = name.partition(": ")
    return figure if figure.startswith(cell) else name


def format_figure(figure: Figure) -> str:
    return format_unit(figure.value, figure.unit)


def format_unit(value: float, unit: str) -> str:
    """Return a number with its unit."""
    return seconds_text(value) if unit == "s" else bytes_text(value) if unit == "B" else f"{value:.4g} {unit}"


def get_change_tone(change: Change) -> str:
    """Return the colour of a change."""
    tones = {"regressed": "fail", "unknown": "unknown", "gone": "unknown", "slower": "warn", "fixed": "pass", "faster": "pass"}
    return tones.get(change.kind, "skip-tag")


FILTERS: dict[str, Callable[..., Any]] = {
    "against": compare_with_median,
    "amount": format_figure,
    "anchor": make_anchor,
    "benchmark": shorten_benchmark,
    "brief": format_brief,
    "change_tone": get_change_tone,
    "counted": count,
    "evidence": list_files,
    "moment": format_time,
    "of_unit": format_unit,
    "page": get_page,
    "percent": lambda share: f"{share * 100:.0f} %",
    "polyline": make_polyline,
    "seconds": seconds_text,
    "sign": SIGN.__getitem__,
    "span": get_span,
    "tail": get_tail,
    "tone": lambda outcome: "skip-tag" if outcome is StepOutcome.SKIP else outcome.value,
    "upper_first": lambda text: text[:1].upper() + text[1:],
    "word": WORD.__getitem__,
}
