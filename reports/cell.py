"""The results of one cell of the matrix on disk: the folder that a job uploads.

    cell.json                 which cell, how it ended, when and where, by SCHEMA
    junit.xml                 pytest's results
    run.json journal.jsonl    from the lab's run directory: the lab file, and the steps with times and needs
    evidence/ logs/           evidence of failures in the layout of lab.evidence; output of commands
    allure-results/ perf/     results of allure-pytest and of failover benchmarks

Every file went through a masking writer. Any may be missing or torn: the job was interrupted, the disk was full. `find_cells` returns
such a cell with the reason in `broken` and an outcome that is never green.
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
"""The schema of cell.json. A folder of another schema is reported as unreadable."""

PARTS = ("provider", "deployer", "release", "kubernetes", "suite")
DEPTH = 6
"""Levels below a given folder that are searched for cells."""


class CellResults(BaseModel):
    """One job's results. `run` names the run of the whole matrix; `attempt` counts from 1."""

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
    """The tested commit, if known."""
    machine: dict[str, str] = {}
    missing: dict[str, str] = {}
    """Files that could not be collected, and why."""
    left_out: dict[str, str] = {}
    """Omitted files and parts of files, and why: not text, the beginning of a large file, the middle of a long text."""
    torn: dict[str, str] = {}
    """Damaged files, and where the damage is."""
    broken: str = Field(default="", exclude=True)
    """Why these results cannot be trusted to be complete; "" when they can."""

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
        """Return the content of cell.json."""
        return {"schema": SCHEMA, **self.model_dump(mode="json")}

    def with_values(self, **changes: Any) -> CellResults:
        """Return this cell with other values."""
        return self.model_copy(update=changes)

    @classmethod
    def parse(cls, document: Any, path: Path) -> CellResults:
        """Return the cell of a cell.json. Raise ValueError, which says what is not valid."""
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"cell.json was written by another version (schema {schema}; this one reads {SCHEMA})")
        try:
            return cls.model_validate({**mask_object(document), "path": path, "broken": ""})
        except ValidationError as error:
            errors = "; ".join(f"{'.'.join(str(part) for part in issue['loc'])}: {issue['msg']}" for issue in error.errors())
            raise ValueError(f"cell.json is not valid: {errors}") from error


def make_cell_name(parts: Iterable[str]) -> str:
    """Return provider-deployer-release-kubernetes-suite as a folder name, without unknown parts."""
    slugs = [re.sub(r"[^A-Za-z0-9._]+", "-", part).strip("-.") for part in parts]
    return "-".join(slug for slug in slugs if slug)


def find_cells(paths: Iterable[Path]) -> list[CellResults]:
    """Return the cells in these folders, including run directories of labs. Raise UsageError for a missing folder.

    A folder without results is a broken cell.
    """
    found: list[CellResults] = []
    for path in paths:
        if not path.is_dir():
            raise UsageError(f"{path} does not exist", remedy="name folders of `lab report collect`, or run directories of labs")
        cells = list(walk_cells(path))
        found += cells or [CellResults(name=name_folder(path), path=path, broken="this folder contains no results")]
    return found


def walk_cells(path: Path, depth: int = DEPTH) -> Iterator[CellResults]:
    """Yield the cells of a folder: itself, or those below it. An unreadable one is a broken cell and hides no other."""
    try:
        if not path.is_dir() or (path / "history.jsonl").exists():  # a site contains evidence too
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
            if not (path / name).is_symlink() and not name.startswith("."):  # hidden folders are leftovers of a killed `collect`
                yield from walk_cells(path / name, depth - 1)


def name_folder(path: Path) -> str:
    """Return the name of a cell without a name: its folder's, in characters that every encoding has."""
    return replace_surrogates(path.resolve().name) or "cell"


def read_cell(path: Path) -> CellResults:
    """Return the cell of a folder with a cell.json; a broken cell when the file is not valid."""
    try:
        return CellResults.parse(read_json(path / "cell.json"), path)
    except (OSError, ValueError) as error:
        half = "" if str(error).startswith("cell.json") else "cell.json is half-written: "
        return CellResults(name=name_folder(path), path=path, broken=f"{half}{error}")


def read_run(path: Path) -> CellResults:
    """Return a lab's run directory as a cell. Its outcome comes from its journal later, in `reports.evaluate`."""
    bare = CellResults(name=name_folder(path), path=path, suite="lab")
    try:
        head = read_json(path / "run.json")
        schema = head["schema"]
        if schema != RUN_SCHEMA:
            return bare.with_values(broken=f"run.json was written by another version (schema {schema}; this one reads {RUN_SCHEMA})")
        parts = get_requested_parts(mask_object(head["asked"]))
        return bare.with_values(**parts, name=mask(str(head["id"] or bare.name)), started=to_timestamp(head["created"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return bare.with_values(broken=f"run.json is half-written: {type(error).__name__}: {error}")


def get_requested_parts(asked: Json) -> dict[str, str]:
    """Return the parts of a cell's name that a lab file contains."""
    lab, karmada = (part if isinstance(part := asked.get(key), dict) else {} for key in ("lab", "karmada"))
    return {
        "provider": str(lab.get("provider") or ""),
        "kubernetes": str(lab.get("kubernetes") or ""),
        "deployer": str(karmada.get("deployer") or ""),
        "release": str(karmada.get("release") or ""),
    }
