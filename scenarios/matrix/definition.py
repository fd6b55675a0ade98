"""The matrix as data: `scenarios/matrix.toml`, validated. The head of that file explains its keys."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from lab.errors import UsageError
from lab.spec import Capability, Strict, parse, read
from scenarios.matrix.cells import CHECKOUT, PART, PARTS, MatrixCell

FILE = Path(__file__).parent.parent / "matrix.toml"
HERE = FILE.parent

Part = Annotated[str, StringConstraints(pattern=f"^{PART.pattern}$")]
Parts = Annotated[tuple[Part, ...], Field(min_length=1)]
Labels = tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")], ...]


class ProviderAxis(Strict):
    """Where the cells of a provider run."""

    runs_on: Labels = Field(min_length=1)
    nightly: bool = False


class MatrixSuite(Strict):
    """Tests that are run together on one lab. `runs_on` stands for that of the provider where its tests take more than its lab.

    Parts of a cell's name that it gives stand for the matrix's own.
    """

    promise: str
    runs_on: Labels = ()
    files: tuple[str, ...] = ()
    lab: str = "lab.toml"
    mark: str = ""
    needs: tuple[Capability, ...] = ()
    nightly: bool = False
    providers: tuple[Part, ...] = ()
    deployers: tuple[Part, ...] = ()
    releases: tuple[Part, ...] = ()
    kubernetes: tuple[Part, ...] = ()

    @property
    def lab_file(self) -> Path:
        return HERE / self.lab


class Exclude(Strict):
    """Cells that are left out although they are possible. A part that is not given matches any value."""

    reason: str = Field(min_length=1)
    provider: Part | Parts | None = None
    deployer: Part | Parts | None = None
    release: Part | Parts | None = None
    kubernetes: Part | Parts | None = None
    suite: Part | Parts | None = None

    def covers(self, cell: MatrixCell) -> bool:
        """Return whether it matches a cell."""
        for part in PARTS:
            named = getattr(self, part)
            if named is not None and getattr(cell, part) not in ((named,) if isinstance(named, str) else named):
                return False
        return True


class Include(Strict):
    """One cell that every pull request runs, and the reason."""

    reason: str = Field(min_length=1)
    provider: Part
    deployer: Part
    release: Part
    kubernetes: Part
    suite: Part

    @property
    def cell(self) -> MatrixCell:
        return MatrixCell(**{part: getattr(self, part) for part in PARTS})


class Matrix(Strict):
    """The axes of the matrix, its suites and its rules."""

    version: Literal[1] = Field(alias="schema")
    deployers: Parts
    releases: Parts
    kubernetes: Parts
    providers: dict[Part, ProviderAxis] = Field(min_length=1)
    suites: dict[Part, MatrixSuite] = Field(min_length=1)
    exclude: tuple[Exclude, ...] = ()
    include: tuple[Include, ...] = ()

    @field_validator("suites")
    @classmethod
    def one_has_the_rest(cls, suites: dict[str, MatrixSuite]) -> dict[str, MatrixSuite]:
        bare = [name for name, suite in suites.items() if not suite.files]
        if len(bare) > 1:
            raise ValueError(f"{' and '.join(bare)} name no files: only one suite can take the remaining files")
        if missing := [f"{name}: {suite.lab}" for name, suite in suites.items() if not suite.lab_file.is_file()]:
            raise ValueError(f"there is no such lab file in scenarios/: {', '.join(missing)}")
        return suites

    @model_validator(mode="after")
    def excludes_are_of_this_matrix(self) -> Matrix:
        """Refuse an exclude that no cell can match: with a typo it would leave nothing out."""
        for number, exclude in enumerate(self.exclude):
            for part in PARTS:
                named = getattr(exclude, part)
                known = self.axis(part)
                if strangers := [value for value in ([named] if isinstance(named, str) else named or ()) if value not in known]:
                    raise ValueError(f"exclude[{number}].{part}: there is no {strangers[0]!r} here; there are: {', '.join(known)}")
        for number, include in enumerate(self.include):
            if include.provider not in self.providers or include.suite not in self.suites:
                raise ValueError(f"include[{number}]: its provider and its suite must be among those of this file")
        return self

    @classmethod
    def load(cls, path: Path = FILE) -> Matrix:
        """Read a matrix. UsageError lists every wrong key."""
        return parse(cls, read(path, what="the matrix"), source=str(path))

    def axis(self, part: str) -> tuple[str, ...]:
        """Return the values of one part of a cell's name, in the order of the file."""
        return {
            "provider": tuple(self.providers),
            "deployer": self.deployers,
            "release": self.releases,
            "kubernetes": self.kubernetes,
            "suite": tuple(self.suites),
        }[part]

    def axis_of(self, suite: str, part: str) -> tuple[str, ...]:
        """Return the values of one part of the names of a suite's cells."""
        if part == "suite":
            return (suite,)
        given: tuple[str, ...] = getattr(self.suites[suite], part if part == "kubernetes" else f"{part}s")
        return given or self.axis(part)

    def _place(self, cell: MatrixCell) -> tuple[int, ...]:
        """Return where a cell stands among all: by each part, in the order of the file; values of one suite alone come last."""
        axes = ((self.axis(part), getattr(cell, part)) for part in PARTS)
        return tuple(axis.index(value) if value in axis else len(axis) for axis, value in axes)

    def cells(self, *, checkout: bool = False) -> list[MatrixCell]:
        """Return every cell, possible or not; with `checkout` the release of all is the checkout under test."""
        product = [MatrixCell(*parts) for name in self.suites for parts in itertools.product(*(self.axis_of(name, part) for part in PARTS))]
        every = [*sorted(product, key=self._place), *(include.cell for include in self.include)]
        return list(dict.fromkeys(replace(cell, release=CHECKOUT) for cell in every) if checkout else dict.fromkeys(every))

    def always(self, *, checkout: bool = False) -> set[MatrixCell]:
        """Return the cells that every pull request runs."""
        cells = {include.cell for include in self.include}
        return {replace(cell, release=CHECKOUT) for cell in cells} if checkout else cells

    def runs_on(self, cell: MatrixCell) -> list[str]:
        """Return the labels of the runner of a cell."""
        return list(self.suites[cell.suite].runs_on or self.providers[cell.provider].runs_on)

    def nightly_only(self, cell: MatrixCell) -> bool:
        """Return whether a cell is too slow or too rarely used for a pull request."""
        return self.providers[cell.provider].nightly or self.suites[cell.suite].nightly

    def excluded(self, cell: MatrixCell) -> str | None:
        """Return why this file excludes a cell, or None."""
        return next((exclude.reason for exclude in self.exclude if exclude.covers(cell)), None)

    def files(self, suite: str) -> list[Path]:
        """Return the test files of a suite, sorted; [] when none of its patterns matches. UsageError for an unknown suite."""
        if suite not in self.suites:
            raise UsageError(f"unknown suite {suite!r}", remedy=f"one of: {', '.join(self.suites)}")
        if self.suites[suite].files:
            return sorted(files_of(self.suites[suite]))
        taken = {path for other in self.suites.values() for path in files_of(other)}
        return sorted(set(HERE.glob("test_*.py")) - taken)


def files_of(suite: MatrixSuite) -> Iterator[Path]:
    """Yield the files that match a suite's patterns."""
    for pattern in suite.files:
        yield from HERE.glob(pattern)
