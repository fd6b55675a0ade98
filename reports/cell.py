"""One cell of the matrix and its results on disk: the folder that a job uploads, and all that a report knows of the job.

    cell.json                 this file's document: which cell, how it ended, when, where; SCHEMA
    junit.xml                 what pytest wrote
    run.json journal.jsonl    of the lab's run directory: what was asked for, its steps with times and needs
    evidence/ logs/           of failures, as lab.evidence lays it out; what commands printed
    allure-results/ perf/     of allure-pytest; results of failover benchmarks

Every file passed a masking writer. Any of them may be missing or torn: the job was interrupted, the disk was full. `find` then still gives
a Cell, with what is wrong in `broken` and an outcome that is not green.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lab.errors import UsageError
from lab.masking.mask import mask, mask_object
from lab.run import SCHEMA as RUN_SCHEMA
from lab.steps import StepOutcome
from reports.files import read_json, replace_surrogates, to_timestamp

Json = dict[str, Any]
SCHEMA = 1
"""Of cell.json. A folder of another schema is shown as one that cannot be read, never guessed at."""

PARTS = ("provider", "deployer", "release", "kubernetes", "suite")
DEPTH = 6
"""Folders below one that is named on the command line in which cells are looked for."""


class CellResults(BaseModel):
    """One job's results. `run` names the run of the whole matrix it belongs to; `attempt` counts from 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(min_length=1)
    path: Path = Field(exclude=True)
    provider: str = ""
    deployer: str = ""
    release: str = ""
    kubernetes: str = ""
    suite: str = ""
    outcome: StepOutcome = StepOutcome.UNKNOWN
    reason: str = ""
    run: str = ""
    attempt: int = 1
    exit_code: int | None = None
    started: float | None = None
    ended: float | None = None
    revision: str = ""
    """Of what was tested, as far as somebody said: a commit."""
    machine: dict[str, str] = {}
    missing: dict[str, str] = {}
    """What was to be collected and is not here, and why."""
    left_out: dict[str, str] = {}
    """What was there and is not wanted here: what is no text, the beginnings of what is too large, the middle of long texts."""
    torn: dict[str, str] = {}
    """What is here as far as it was whole, and where it is damaged."""
    broken: str = Field(default="", exclude=True)
    """Why these results cannot be trusted to be whole; "" when they can."""

    @field_validator("started", "ended", mode="after")
    @classmethod
    def is_time(cls, at: float | None) -> float | None:
        return to_timestamp(at)

    @property
    def seconds(self) -> float | None:
        return max(0.0, self.ended - self.started) if self.started is not None and self.ended is not None else None

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(getattr(self, part) for part in PARTS)

    def document(self) -> Json:
        """Return cell.json's content."""
        return {"schema": SCHEMA, **self.model_dump(mode="json")}

    def but(self, **changes: Any) -> CellResults:
        """Return this cell with other values."""
        return self.model_copy(update=changes)

    @classmethod
    def parse(cls, document: Any, path: Path) -> CellResults:
        """Return the cell of a cell.json. ValueError says what is wrong with it."""
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"cell.json was written by another version (schema {schema}; this one reads {SCHEMA})")
        try:
            return cls.model_validate({**mask_object(document), "path": path, "broken": ""})
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(str(part) for part in issue['loc'])}: {issue['msg']}" for issue in error.errors())
            raise ValueError(f"cell.json is not valid: {told}") from error


def make_cell_name(parts: Iterable[str]) -> str:
    """Return provider-deployer-release-kubernetes-suite, as it is a folder's name; parts that are unknown are left out."""
    slugs = [re.sub(r"[^A-Za-z0-9._]+", "-", part).strip("-.") for part in parts]
    return "-".join(slug for slug in slugs if slug)


def find_cells(paths: Iterable[Path]) -> list[CellResults]:
    """Return the cells in these folders, run directories of labs included. UsageError when one is not there.

    A folder in which no results are found is a cell too: a broken one.
    """
    found: list[CellResults] = []
    for path in paths:
        if not path.is_dir():
            raise UsageError(f"there is no folder {path}", remedy="name folders of `python -m reports collect`, or run directories of labs")
        cells = list(walk_cells(path))
        found += cells or [CellResults(name=name_folder(path), path=path, broken="no results are in this folder")]
    return found


def walk_cells(path: Path, depth: int = DEPTH) -> Iterator[CellResults]:
    """Yield the cells of a folder: itself, or those below it. One that cannot be read is a broken cell, and hides no other."""
    try:
        if not path.is_dir() or (path / "history.jsonl").exists():  # pages of an earlier report bring evidence along
            return
        names = set(os.listdir(path))  # noqa: PTH208 (names alone)
    except OSError as error:
        yield CellResults(name=name_folder(path), path=path, broken=f"the folder cannot be read: {error.strerror}")
        return
    if "cell.json" in names:
        yield read_cell(path)
    elif "run.json" in names:
        yield read_run(path)
    elif names & {"junit.xml", "journal.jsonl"}:
        yield CellResults(
            name=name_folder(path), path=path, broken="there is no cell.json: the job ended before its results were collected"
        )
    elif depth:
        for name in sorted(names):
            if not (path / name).is_symlink() and not name.startswith("."):  # such are folders that `collect` was killed over
                yield from walk_cells(path / name, depth - 1)


def name_folder(path: Path) -> str:
    """Return what a cell is called that says nothing of itself: as its folder is, in characters that every encoding has."""
    return replace_surrogates(path.resolve().name) or "cell"


def read_cell(path: Path) -> CellResults:
    """Return the cell of a folder with a cell.json; a broken one when that cannot be understood."""
    try:
        return CellResults.parse(read_json(path / "cell.json"), path)
    except (OSError, ValueError) as error:
        half = "" if str(error).startswith("cell.json") else "cell.json is half-written: "
        return CellResults(name=name_folder(path), path=path, broken=f"{half}{error}")


def read_run(path: Path) -> CellResults:
    """Return a lab's run directory as a cell. How it ended is what its journal says: `reports.report` looks."""
    bare = CellResults(name=name_folder(path), path=path, suite="lab")
    try:
        head = read_json(path / "run.json")
        schema = head["schema"]
        if schema != RUN_SCHEMA:
            return bare.but(broken=f"run.json was written by another version (schema {schema}; this one reads {RUN_SCHEMA})")
        parts = get_requested_parts(mask_object(head["asked"]))
        return bare.but(**parts, name=mask(str(head["id"] or bare.name)), started=to_timestamp(head["created"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return bare.but(broken=f"run.json is half-written: {type(error).__name__}: {error}")


def get_requested_parts(asked: Json) -> dict[str, str]:
    """Return the parts of a cell's name that the document of a lab tells."""
    lab, karmada = (part if isinstance(part := asked.get(key), dict) else {} for key in ("lab", "karmada"))
    return {
        "provider": str(lab.get("provider") or ""),
        "kubernetes": str(lab.get("kubernetes") or ""),
        "deployer": str(karmada.get("deployer") or ""),
        "release": str(karmada.get("release") or ""),
    }
