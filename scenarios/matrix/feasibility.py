"""Why a cell cannot be: asked of the provider, the deployer and the pins that would make it. Nothing is created, nothing fetched.

What depends on the computer (memory, Docker, KVM) is asked only with `here`: a plan is made on another machine than its cells run on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deployers.preflight import preflight_errors, spec_errors
from deployers.release import make_supply
from deployers.wanted import Wanted, document, prepare
from lab.assets import Supply
from lab.errors import LabError
from lab.spec import Capability
from scenarios.matrix.cells import CHECKOUT, MatrixCell
from scenarios.matrix.definition import Matrix


@dataclass(frozen=True)
class Facts:
    """What the code says of one lab: what its provider offers, and what is in the way, one sentence each."""

    offers: frozenset[Capability]
    obstacles: tuple[str, ...]


Ask = Callable[[MatrixCell, Path], Facts]
"""Asks the code about the lab of a cell, as that lab file has it."""


@dataclass(frozen=True)
class Feasibility:
    """A cell, and why it is not to be run; `why` is empty for one that fits."""

    cell: MatrixCell
    why: tuple[str, ...] = ()


def judge(matrix: Matrix, cells: Iterable[MatrixCell], ask: Ask) -> list[Feasibility]:
    """Return every cell with all that speaks against it, in the order given."""
    return [Feasibility(cell, tuple(reasons(matrix, cell, ask))) for cell in cells]


def reasons(matrix: Matrix, cell: MatrixCell, ask: Ask) -> list[str]:
    """Return what speaks against a cell: the matrix's own word first, then what the code says."""
    if excluded := matrix.excluded(cell):
        return [excluded]
    suite = matrix.suites[cell.suite]
    if not matrix.files(cell.suite):
        return [f"the suite {cell.suite} has no tests: nothing in scenarios/ is called {' or '.join(suite.files)}"]
    facts = ask(cell, suite.lab_file)
    found = [*facts.obstacles]
    if facts.offers and (missing := sorted(need.value for need in suite.needs if need not in facts.offers)):
        found.append(f"the suite {cell.suite} needs {', '.join(missing)}, which the provider {cell.provider} does not offer")
    return found


def asking(*, here: bool = False) -> Ask:
    """Return an Ask of the real code; with `here` it asks about this computer too."""
    supply = make_supply()

    @cache
    def facts(provider: str, deployer: str, release: str, kubernetes: str, lab: Path) -> Facts:
        # Of a checkout, what it is made of is known when it is built; all else is as for the release that the lab file names.
        named = None if release == CHECKOUT else release
        offers: frozenset[Capability] = frozenset()
        try:
            wanted = prepare(document(lab, provider=provider, deployer=deployer, release=named, kubernetes=kubernetes), source=str(lab))
            offers = wanted.provider.offers
            return Facts(offers, tuple(obstacles(wanted, supply, here=here)))
        except LabError as error:
            return Facts(offers, (" ".join(filter(None, [error.what, error.detail])),))

    def ask(cell: MatrixCell, lab: Path) -> Facts:
        return facts(cell.provider, cell.deployer, cell.release, cell.kubernetes, lab)

    return ask


def obstacles(wanted: Wanted, supply: Supply, *, here: bool) -> list[str]:
    """Return what the preflight finds in the way of a lab, wherever it is run; with `here` on this computer."""
    found = (preflight_errors if here else spec_errors)(wanted, supply)
    return [f"{problem.path}: {problem.why}" if problem.path else problem.why for problem in found]
