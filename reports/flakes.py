"""Known flakes: each entry has an owner, an issue and an expiry date."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lab.documents import read_toml
from lab.errors import TestsFailed, UsageError
from reports.failure import Failure

FLAKES = Path(__file__).parent / "flakes.toml"


class Flake(BaseModel):
    """One known flake, as the file writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    issue: str = Field(min_length=1)
    expires: date
    cells: str = "*"
    says: str = ""

    @field_validator("says")
    @classmethod
    def is_pattern(cls, says: str) -> str:
        re.compile(says)
        return says

    def covers(self, failure: Failure) -> bool:
        """Return whether this entry covers a failure."""
        return (
            (failure.name == self.test or fnmatchcase(failure.name, self.test))  # brackets of parameters are no pattern
            and fnmatchcase(failure.cell, self.cells)
            and re.search(self.says, failure.message) is not None
        )

    def is_expired(self, today: date) -> bool:
        return today >= self.expires

    @property
    def description(self) -> str:
        return f"{self.test} ({self.owner}, {self.issue}, until {self.expires})"


@dataclass(frozen=True)
class Flakes:
    """The list of known flakes on one day."""

    known: tuple[Flake, ...] = ()
    today: date = date.max

    @property
    def expired_entries(self) -> tuple[Flake, ...]:
        return tuple(flake for flake in self.known if flake.is_expired(self.today))

    def find(self, failure: Failure) -> Flake | None:
        """Return the entry that excuses a failure; None without one that has not expired."""
        return next((flake for flake in self.known if flake.covers(failure) and not flake.is_expired(self.today)), None)


def read_flakes(path: Path, today: date) -> Flakes:
    """Return the flakes of a file. Raise UsageError, which lists the invalid entries."""
    document = read_toml(path, what="the known flakes")
    known: list[Flake] = []
    wrong: list[str] = []
    tables = document.get("flake", [])
    if not isinstance(tables, list):
        raise UsageError("cannot read the known flakes: flake is not a list of tables", where=str(path), remedy="write [[flake]]")
    for number, table in enumerate(tables):
        try:
            known.append(Flake.model_validate(table))
        except (ValidationError, re.error) as error:
            issues = error.errors() if isinstance(error, ValidationError) else [{"loc": ("says",), "msg": str(error)}]
            wrong += [f"flake[{number}].{'.'.join(str(part) for part in issue['loc'])}: {issue['msg']}" for issue in issues]
    if wrong or document.keys() - {"flake"}:
        unknown = [f"{key}: unknown key" for key in sorted(document.keys() - {"flake"})]
        raise UsageError(
            "the list of known flakes is not valid", where=str(path), detail="\n".join(wrong + unknown), remedy="fix these entries"
        )
    return Flakes(tuple(known), today)


def make_expired_error(flakes: Iterable[Flake], path: Path) -> TestsFailed:
    """Return the error that lists the expired entries."""
    lines = "\n".join(f"{flake.test} expired on {flake.expires}; {flake.owner} owns it: {flake.issue}" for flake in flakes)
    return TestsFailed(
        "known flakes have expired",
        where=str(path),
        detail=lines,
        remedy="fix the test and remove its entry, or extend the date and give the reason in its issue",
    )
