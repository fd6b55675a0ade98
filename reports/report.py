"""A Report: everything known about one run of the matrix, computed once; pages, summaries and files only format it.

`read_report` takes folders of results, complete or damaged. With results of several runs it reports the newest; the others join the
history of history.jsonl. `notes` lists whatever could not be read: the report of a broken run says that it is broken.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.count import count
from lab.steps import StepOutcome
from reports import cell as cells
from reports import flakes as known_flakes
from reports import history as kept
from reports.cell import PARTS, CellResults
from reports.evaluate import EvaluatedCell, evaluate_cell, merge_attempts
from reports.files import read_json
from reports.flakes import Flakes
from reports.history import History, HistoryRow, PastCell

Json = dict[str, Any]
LOCAL = "local"
"""The run of cells that name none."""


@dataclass(frozen=True)
class OmittedCell:
    """A cell of the matrix that the plan omits, and why."""

    name: str
    parts: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """One run of the matrix. `history` holds the earlier runs, `kept` those to save with this one."""

    run: str
    at: float
    cells: tuple[EvaluatedCell, ...]
    left_out: tuple[OmittedCell, ...] = ()
    history: History = field(default_factory=History)
    kept: History = field(default_factory=History)
    flakes: Flakes = field(default_factory=Flakes)
    notes: tuple[str, ...] = ()
    plan_error: str = ""
    """Why the plan could not be read, so that missing cells are not known; "" when it was read, or none was given."""

    @property
    def outcomes(self) -> dict[StepOutcome, int]:
        """The number of cells per outcome."""
        return {outcome: sum(each.outcome is outcome for each in self.cells) for outcome in StepOutcome}

    @property
    def has_failed_cells(self) -> bool:
        """Return whether the run is rejected: a cell failed, or the entry of a known flake expired."""
        return any(each.outcome is StepOutcome.FAIL for each in self.cells) or bool(self.flakes.expired_entries)

    @property
    def has_unknown_cells(self) -> bool:
        """Return whether the plan or the outcome of a cell is unknown, except cells in which only known flakes failed."""
        return bool(self.plan_error) or any(each.outcome is StepOutcome.UNKNOWN and not each.has_only_known_flakes for each in self.cells)

    @property
    def omissions(self) -> list[str]:
        """The parts of the results that the report does not show."""
        return [f"{each.cell.name}: {what}" for each in self.cells for what in each.left_out]

    @property
    def row(self) -> HistoryRow:
        """This run's row of the history."""
        return make_row(self.run, self.cells)


@dataclass(frozen=True)
class ReportInputs:
    """The inputs of a report."""

    paths: Sequence[Path]
    plan: Path | None = None
    history: Path | None = None
    flakes: Path = known_flakes.FLAKES
    now: float | None = None


def read_report(inputs: ReportInputs) -> Report:
    """Return the report of the newest run among the results. Raise UsageError for a path or a list of flakes that cannot be read."""
    now = inputs.now or time.time()
    flakes = known_flakes.read_flakes(inputs.flakes, datetime.fromtimestamp(now, UTC).date())
    runs = group_by_run(cells.find_cells(inputs.paths))
    examined = {name: merge_attempts([evaluate_cell(each, flakes) for each in found]) for name, found in runs.items()}
    newest = find_newest(runs)
    history = kept.read_history(inputs.history)
    history = history.add_runs(make_row(name, found) for name, found in examined.items() if name != newest)
    mine = examined.pop(newest)
    planned, left_out, plan_error = read_plan(inputs.plan)
    there = {each.cell.name: each for each in mine}
    mine = [fill_parts(each, planned) for each in mine]
    mine += [evaluate_cell(each, flakes) for name, each in planned.items() if name not in there]
    mine.sort(key=lambda each: each.cell.parts)
    notes = [plan_error] if plan_error else []
    if history.unreadable:
        notes.append(f"{count(history.unreadable, 'line')} of the history could not be read and were ignored")
    notes += [f"{each.cell.name}: {note}" for each in mine for note in each.notes]
    this = make_row(newest, mine)
    return Report(
        run=newest,
        at=this.at,
        cells=tuple(mine),
        left_out=tuple(left_out),
        history=history.get_earlier(this),
        kept=history.add_runs([this] if this.at else []),  # a run without any readable start time has no place in the history
        flakes=flakes,
        notes=tuple(notes),
        plan_error=plan_error,
    )


def group_by_run(found: Iterable[CellResults]) -> dict[str, list[CellResults]]:
    """Return cells by run. A cell too damaged to name its run joins the newest, so that it is not lost."""
    runs: dict[str, list[CellResults]] = {}
    lost: list[CellResults] = []
    for each in found:
        (lost if each.broken and not each.run else runs.setdefault(each.run or LOCAL, [])).append(each)
    runs.setdefault(find_newest(runs) if runs else LOCAL, []).extend(lost)
    return runs


def find_newest(runs: Mapping[str, Sequence[CellResults]]) -> str:
    """Return the run that began last."""
    return max(runs, key=lambda name: max((each.started or 0.0 for each in runs[name]), default=0.0))


def make_row(run: str, examined: Iterable[EvaluatedCell]) -> HistoryRow:
    """Return the row of a run for the history."""
    found = list(examined)
    started = [each.cell.started for each in found if each.cell.started]
    return HistoryRow(
        run,
        min(started, default=0.0),
        {each.cell.name: make_past_cell(each) for each in found},
        {f"{each.cell.name}: {figure.name}": figure.value for each in found for figure in each.figures},
    )


def make_past_cell(each: EvaluatedCell) -> PastCell:
    """Return the entry of a cell for the history."""
    return PastCell(
        each.outcome,
        each.cell.seconds,
        each.up_seconds,
        tuple(sorted({judged.classification.owner.value for judged in each.failures})),
        {case.id: case.outcome for case in each.cases if not case.step},
    )


def read_plan(path: Path | None) -> tuple[dict[str, CellResults], list[OmittedCell], str]:
    """Return the planned cells, without results, the omitted cells, and why the plan cannot be read ("" if it can)."""
    if path is None:
        return {}, [], ""
    try:
        document = read_json(path)
        rows: list[Json] = document.get("cells") or document.get("include") or []
        names = [str(each.get("name") or each.get("cell")) for each in rows]
        planned = {
            name: CellResults(name=name, path=path.parent / name, broken="planned, but no results arrived").with_values(**get_parts(each))
            for name, each in zip(names, rows, strict=True)
        }
        left_out = [
            OmittedCell(str(each["name"]), tuple(get_parts(each).values()), tuple(each.get("why") or ["the plan gives no reason"]))
            for each in document.get("left_out") or []
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return {}, [], f"the plan {path} could not be read, so missing cells are not known: {error}"
    return planned, left_out, ""


def group_by_reason(left_out: Iterable[OmittedCell]) -> list[tuple[str, list[OmittedCell]]]:
    """Return each first reason with the cells omitted for it, most cells first."""
    reasons: dict[str, list[OmittedCell]] = {}
    for left in left_out:
        reasons.setdefault(left.why[0], []).append(left)
    return sorted(reasons.items(), key=lambda item: -len(item[1]))


def fill_parts(each: EvaluatedCell, planned: Mapping[str, CellResults]) -> EvaluatedCell:
    """Return a cell, with the parts from the plan where its own results are too damaged to contain any."""
    if each.cell.provider or each.cell.name not in planned:
        return each
    return replace(each, cell=each.cell.with_values(**{part: getattr(planned[each.cell.name], part) for part in PARTS}))


def get_parts(row: Json) -> dict[str, str]:
    return {part: str(row.get(part) or "") for part in PARTS}
