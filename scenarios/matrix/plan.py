"""A plan: the cells that are to be run, and why the others are not."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lab.errors import NotPossible, UsageError
from scenarios.matrix.cells import CHECKOUT, PARTS, MatrixCell
from scenarios.matrix.changes import ChangeTree, paths_changed_since
from scenarios.matrix.definition import Matrix
from scenarios.matrix.durations import Durations, shard
from scenarios.matrix.feasibility import Ask, Feasibility, asking, judge
from scenarios.matrix.pairwise import pairwise

Selection = Literal["all", "nightly", "pull-request"]


@dataclass(frozen=True)
class Plan:
    """What is chosen, in order; what is not, and why, by cell; paths that had changed, if that was asked."""

    selection: Selection
    chosen: tuple[MatrixCell, ...]
    left_out: dict[MatrixCell, tuple[str, ...]] = field(default_factory=dict)
    changed: tuple[str, ...] | None = None

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Each reason with how many cells it leaves out, the most first; a cell counts for the first of its own."""
        return Counter(why[0] for why in self.left_out.values()).most_common()


@dataclass(frozen=True)
class Planner:
    """Chooses cells of one matrix. `checkout` is the path of a Release under test, which then is the release of every cell."""

    matrix: Matrix
    durations: Durations
    ask: Ask
    checkout: Path | None = None

    @classmethod
    def load(cls, *, checkout: Path | None = None, here: bool = False) -> Planner:
        """Return the planner of this project's matrix, asking the real code."""
        return cls(Matrix.load(), Durations.load(), asking(here=here), checkout)

    @property
    def judged(self) -> list[Feasibility]:
        return judge(self.matrix, self.matrix.cells(checkout=self.checkout is not None), self.ask)

    def plan(
        self,
        selection: Selection = "all",
        *,
        since: str | None = None,
        part: tuple[int, int] | None = None,
        only: Sequence[str] = (),
    ) -> Plan:
        """Choose: what fits; of that what `only` leaves, for a pull request the pairwise ones, what has changed, one shard."""
        judged = self.judged
        left_out = {each.cell: each.why for each in judged if each.why}
        fitting = [each.cell for each in judged if not each.why]
        chosen = select_cells(only, fitting, among=[each.cell for each in judged])
        left_out |= {cell: ("not asked for",) for cell in fitting if cell not in chosen}
        always = self.matrix.always(checkout=self.checkout is not None)
        if selection == "pull-request":
            chosen = self._narrow(chosen, [c for c in chosen if not self.matrix.nightly_only(c)], left_out, "is run at night only")
            few = pairwise(chosen, cost=self.durations.of, always=always)
            chosen = self._narrow(chosen, few, left_out, "every two of its parts meet in another cell")
        changed = None
        if since is not None:
            changed = tuple(paths_changed_since(since))
            touched = ChangeTree(self.matrix).touched(changed, chosen, always=always)
            chosen = self._narrow(chosen, touched, left_out, f"nothing that changed since {since} is run by it")
        if part is not None:
            chosen = self._narrow(chosen, shard(chosen, *part, self.durations), left_out, "is in another shard")
        return Plan(selection, tuple(chosen), left_out, changed)

    @staticmethod
    def _narrow(
        cells: Sequence[MatrixCell], to: Sequence[MatrixCell], left_out: dict[MatrixCell, tuple[str, ...]], why: str
    ) -> list[MatrixCell]:
        kept = set(to)
        left_out |= {cell: (why,) for cell in cells if cell not in kept}
        return [cell for cell in cells if cell in kept]

    def cell(self, name: str) -> MatrixCell:
        """Return a cell by its name. UsageError when there is none, with the nearest; NotPossible when it does not fit, with why."""
        cells = {cell.name: cell for cell in self.matrix.cells(checkout=self.checkout is not None)}
        if name not in cells:
            if self.checkout is None and name in {cell.name for cell in self.matrix.cells(checkout=True)}:
                raise UsageError(f"{name} tests a checkout, and none is given", remedy=f"name it: --{CHECKOUT} ./karmada")
            near = difflib.get_close_matches(name, cells, n=3, cutoff=0.5)
            raise UsageError(
                f"there is no cell {name!r}",
                remedy=(f"did you mean {' or '.join(near)}? " if near else "")
                + "`make matrix` lists them: provider-deployer-release-kubernetes-suite",
            )
        judged = judge(self.matrix, [cells[name]], self.ask)[0]
        if judged.why:
            raise NotPossible(f"the cell {name} is not to be run: {'; '.join(judged.why)}", remedy="`make matrix` lists those that are")
        return cells[name]


def select_cells(only: Sequence[str], cells: Sequence[MatrixCell], *, among: Sequence[MatrixCell]) -> list[MatrixCell]:
    """Return the cells that have the values in `only`: of each part of which some are named, one of them. UsageError for a stranger."""
    values = {part: {getattr(cell, part) for cell in among} for part in PARTS}
    known = sorted(set().union(*values.values()))
    if strangers := [value for value in only if value not in known]:
        near = difflib.get_close_matches(strangers[0], known, n=3) or known
        raise UsageError(f"nothing in the matrix is called {strangers[0]!r}", remedy=f"one of: {', '.join(near)}")
    wanted = {part: values[part] & set(only) for part in PARTS}
    return [cell for cell in cells if all(not wanted[part] or getattr(cell, part) in wanted[part] for part in PARTS)]
