"""Why a cell is not possible, according to its provider, deployer and pins. Nothing is created or fetched.

Memory, Docker and KVM are checked only with `here`: a plan is usually made on another computer than the one that runs its cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deployers.release import make_supply
from deployers.up.preflight import preflight_errors, spec_errors
from deployers.wanted import Wanted, document, prepare
from lab.assets import Supply
from lab.errors import LabError
from lab.spec import Capability
from scenarios.matrix.cells import CHECKOUT, MatrixCell
from scenarios.matrix.definition import Matrix


@dataclass(frozen=True)
class CellFacts:
    """What is known of one lab: what its provider offers, and its preflight errors, one sentence each."""

    offers: frozenset[Capability]
    problems: tuple[str, ...]


Ask = Callable[[MatrixCell, Path], CellFacts]
"""Returns the facts of a cell's lab, as its lab file defines it."""


@dataclass(frozen=True)
class Feasibility:
    """A cell and the reasons why it is not run; `why` is empty for a possible one."""

    cell: MatrixCell
    why: tuple[str, ...] = ()


def judge(matrix: Matrix, cells: Iterable[MatrixCell], ask: Ask) -> list[Feasibility]:
    """Return every cell with the reasons against it, in the order given."""
    return [Feasibility(cell, tuple(list_reasons(matrix, cell, ask))) for cell in cells]


def list_reasons(matrix: Matrix, cell: MatrixCell, ask: Ask) -> list[str]:
    """Return the reasons against a cell: the matrix's exclusion first, then the preflight errors."""
    if excluded := matrix.excluded(cell):
        return [excluded]
    suite = matrix.suites[cell.suite]
    if not matrix.files(cell.suite):
        return [f"the suite {cell.suite} has no tests: no file in scenarios/ matches {' or '.join(suite.files)}"]
    facts = ask(cell, suite.lab_file)
    found = [*facts.problems]
    if facts.offers and (missing := sorted(need.value for need in suite.needs if need not in facts.offers)):
        found.append(f"the suite {cell.suite} needs {', '.join(missing)}, which the provider {cell.provider} does not offer")
    return found


def make_ask(*, here: bool = False) -> Ask:
    """Return an Ask that runs the real preflight; with `here` also the checks of this computer."""
    supply = make_supply()

    @cache
    def facts(provider: str, deployer: str, release: str, kubernetes: str, lab: Path) -> CellFacts:
        # A checkout's parts are known only after its build, so take the release that the lab file names instead.
        named = None if release == CHECKOUT else release
        offers: frozenset[Capability] = frozenset()
        try:
            wanted = prepare(document(lab, provider=provider, deployer=deployer, release=named, kubernetes=kubernetes), source=str(lab))
            offers = wanted.provider.offers
            return CellFacts(offers, tuple(list_preflight_errors(wanted, supply, here=here)))
        except LabError as error:
            return CellFacts(offers, (" ".join(filter(None, [error.what, error.detail])),))

    def ask(cell: MatrixCell, lab: Path) -> CellFacts:
        return facts(cell.provider, cell.deployer, cell.release, cell.kubernetes, lab)

    return ask


def list_preflight_errors(wanted: Wanted, supply: Supply, *, here: bool) -> list[str]:
    """Return the preflight errors of a lab that hold on every computer; with `here` also those of this one."""
    found = (preflight_errors if here else spec_errors)(wanted, supply)
    return [f"{problem.path}: {problem.why}" if problem.path else problem.why for problem in found]
