"""`python -m reports collect`: copy a run directory and pytest's output to one masked folder per cell, for a job to upload.

Call it at the end of a job, whatever its outcome, before `lab down`. Missing files are no error: cell.json lists them.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.masking import secret_values
from lab.masking.known_values import NOTHING
from lab.masking.mask import mask
from lab.run import runs_root
from lab.steps import StepOutcome
from reports import journal
from reports.cell import CellResults, get_requested_parts, make_cell_name, read_run
from reports.files import read_json
from reports.junit_results import Results, read_results
from reports.verdict import Verdict, decide_verdict
from reports.writer import MaskingWriter

Json = dict[str, Any]


@dataclass(frozen=True)
class Sources:
    """Where one job's results are. `lab` is a lab's name or its run directory; fields that are None are not collected."""

    lab: str | None = None
    junit: Path | None = None
    artifacts: Path | None = None
    allure: Path | None = None
    perf: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    run: str | None = None
    attempt: int | None = None
    revision: str = ""
    exit_code: int | None = None
    outcome: StepOutcome | None = None
    reason: str | None = None
    started: float | None = None


def collect(sources: Sources, into: Path, *, now: float | None = None) -> CellResults:
    """Write the cell's folder, replacing an earlier one, and return the cell. The folder is moved into place when it is complete."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as made:
        folder = Path(made) / "cell"
        folder.mkdir()
        run = find_run_directory(sources)
        writer = MaskingWriter(folder, known=secret_values.learn_values(run) if run else NOTHING)
        if run:
            copy_run(run, writer)
        elif sources.lab:
            writer.missing["run.json"] = f"there is no run directory {sources.lab}"
        copy_results(sources, writer, lab=run.name if run else None)
        cell = make_cell(sources, folder, writer, now=now or time.time())
        writer.document("cell.json", cell.document())
        if into.exists():
            shutil.rmtree(into)
        folder.rename(into)
    return cell.with_values(path=into)


def find_run_directory(sources: Sources) -> Path | None:
    """Return the lab's run directory, or the part of it that a test session saved among its artifacts before `lab down`."""
    if sources.lab:
        for path in (Path(sources.lab), runs_root() / sources.lab, *([sources.artifacts / sources.lab] if sources.artifacts else [])):
            if (path / "run.json").exists():
                return path
        return None
    kept = sources.artifacts.glob("*/run.json") if sources.artifacts else ()
    newest = max(kept, key=lambda path: path.lstat().st_mtime, default=None)
    return newest.parent if newest else None


def copy_run(run: Path, writer: MaskingWriter) -> None:
    """Copy the files of a run that reports read: no keys, kubeconfigs or data."""
    writer.file(run / "run.json", "run.json")
    writer.file(run / "journal.jsonl", "journal.jsonl")
    for folder in sorted(path for path in (run / "evidence").glob("*") if path.is_dir()):
        writer.tree(folder, f"evidence/{folder.name}")


def copy_results(sources: Sources, writer: MaskingWriter, *, lab: str | None) -> None:
    """Copy the output of pytest, benchmarks and commands."""
    if sources.junit:
        writer.junit(sources.junit, "junit.xml")
    if sources.artifacts and lab:
        for folder in sorted(path for path in (sources.artifacts / lab).glob("*") if path.is_dir()):
            writer.tree(folder, f"evidence/{folder.name}")
    if sources.allure and not writer.tree(sources.allure, "allure-results"):
        writer.missing["allure-results"] = f"{sources.allure} is empty"
    for path in sources.perf:
        if path.is_dir():
            writer.tree(path, f"perf/{path.name}")
        else:
            writer.file(path, f"perf/{path.name}")
    for path in sources.logs:
        writer.file(path, f"logs/{path.name}")


def make_cell(sources: Sources, folder: Path, writer: MaskingWriter, *, now: float) -> CellResults:
    """Return the cell from the given values, else from its results."""
    lab = read_run(folder) if (folder / "run.json").exists() else None
    parts = {
        **(read_requested_parts(folder) if lab and not lab.broken else {}),
        **{key: value for key, value in sources.parts.items() if value},
    }
    outcome, reason = decide_outcome(sources, folder, writer.torn.get("junit.xml", ""))
    return CellResults(
        name=sources.name
        or make_cell_name(parts.get(part, "") for part in ("provider", "deployer", "release", "kubernetes", "suite"))
        or "cell",
        path=folder,
        **parts,
        outcome=outcome,
        reason=mask(reason, writer.known),
        run=sources.run or os.environ.get("GITHUB_RUN_ID") or "local",
        attempt=sources.attempt or parse_attempt(os.environ.get("GITHUB_RUN_ATTEMPT", "")),
        exit_code=sources.exit_code,
        started=sources.started or (lab.started if lab else None) or now,
        ended=now,
        revision=sources.revision or os.environ.get("GITHUB_SHA", ""),
        machine=describe_machine(),
        missing=dict(writer.missing),
        left_out=dict(writer.left_out),
        torn=dict(writer.torn),
    )


def parse_attempt(text: str) -> int:
    """Return the number of an attempt; 1 when the text is not a number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def read_requested_parts(folder: Path) -> dict[str, str]:
    """Return the parts of the cell's name that the lab file contains."""
    return get_requested_parts(read_json(folder / "run.json")["asked"])


def decide_outcome(sources: Sources, folder: Path, torn: str) -> Verdict:
    """Return how a cell ended: the given outcome, else that of its results. A pass with torn results is unknown."""
    results: Results | None = None
    torn = f"junit.xml is not whole: {torn}" if torn else ""
    try:
        if any((folder / name).exists() for name in ("junit.xml", "junit.xml.txt")):
            results = read_results(folder / "junit.xml")
    except ValueError:
        torn = "junit.xml is torn"
    bring_ups = journal.list_bring_ups(journal.read_events(folder / "journal.jsonl"))
    outcome, reason = decide_verdict(sources.exit_code, results, bring_ups, logs=folder / "logs")
    if torn and not sources.exit_code and outcome is not StepOutcome.FAIL:
        outcome, reason = StepOutcome.UNKNOWN, torn
    if sources.outcome is None:
        return outcome, sources.reason or reason
    return sources.outcome, sources.reason or (reason if sources.outcome is outcome else "")


def describe_machine() -> dict[str, str]:
    """Return a description of the machine that the job ran on."""
    try:
        memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (OSError, ValueError):
        memory = ""
    return {
        "system": f"{os.uname().sysname} {os.uname().release}",
        "architecture": os.uname().machine,
        "processors": str(os.cpu_count() or ""),
        "memory": memory,
        "python": platform.python_version(),
        "runner": os.environ.get("RUNNER_NAME", ""),
    }
