"""Known flakes: each has an owner, an issue and a day on which patience ends."""

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
        """Tell whether a failure is this flake's."""
        return (
            (failure.name == self.test or fnmatchcase(failure.name, self.test))  # brackets of parameters are no pattern
            and fnmatchcase(failure.cell, self.cells)
            and re.search(self.says, failure.said) is not None
        )

    def expired(self, today: date) -> bool:
        return today >= self.expires

    @property
    def told(self) -> str:
        return f"{self.test} ({self.owner}, {self.issue}, until {self.expires})"


@dataclass(frozen=True)
class Flakes:
    """The list, on one day."""

    known: tuple[Flake, ...] = ()
    today: date = date.max

    @property
    def expired(self) -> tuple[Flake, ...]:
        return tuple(flake for flake in self.known if flake.expired(self.today))

    def of(self, failure: Failure) -> Flake | None:
        """Return the flake that excuses a failure; None when none does or its day has come."""
        return next((flake for flake in self.known if flake.covers(failure) and not flake.expired(self.today)), None)


def read_flakes(path: Path, today: date) -> Flakes:
    """Return the flakes of a file. UsageError tells each entry that lacks an owner, an issue or a day, or has another key."""
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
        raise UsageError("the list of known flakes is not valid", where=str(path), detail="\n".join(wrong + unknown), remedy="mend it")
    return Flakes(tuple(known), today)


def make_expired_error(flakes: Iterable[Flake], path: Path) -> TestsFailed:
    """Return the error that says which known flakes have had their time."""
    lines = "\n".join(f"{flake.test} expired on {flake.expires}; {flake.owner} owns it: {flake.issue}" for flake in flakes)
    return TestsFailed(
        "known flakes have expired",
        where=str(path),
        detail=lines,
        remedy="mend the test and take its entry out, or give it another day and say why in its issue",
    )
