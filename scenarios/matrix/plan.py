"""A plan: the cells to run, and why the others are left out."""

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
from scenarios.matrix.feasibility import Ask, Feasibility, judge, make_ask
from scenarios.matrix.pairwise import select_pairwise

Selection = Literal["all", "nightly", "pull-request"]


@dataclass(frozen=True)
class Plan:
    """The chosen cells in order, the reason for each other cell, and the changed paths if the plan depends on them."""

    selection: Selection
    chosen: tuple[MatrixCell, ...]
    left_out: dict[MatrixCell, tuple[str, ...]] = field(default_factory=dict)
    changed: tuple[str, ...] | None = None

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Each reason with the number of cells that it leaves out, the largest first; a cell counts for its first reason."""
        return Counter(why[0] for why in self.left_out.values()).most_common()


@dataclass(frozen=True)
class Planner:
    """Chooses cells of one matrix. `checkout` is the path of a Release under test, which becomes the release of every cell."""

    matrix: Matrix
    durations: Durations
    ask: Ask
    checkout: Path | None = None

    @classmethod
    def load(cls, *, checkout: Path | None = None, here: bool = False) -> Planner:
        """Return the planner of this project's matrix, with the real preflight."""
        return cls(Matrix.load(), Durations.load(), make_ask(here=here), checkout)

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
        """Return a plan: the possible cells, narrowed by `only`, for a pull request to the pairwise ones, to changed ones, to one shard."""
        judged = self.judged
        left_out = {each.cell: each.why for each in judged if each.why}
        fitting = [each.cell for each in judged if not each.why]
        chosen = select_cells(only, fitting, among=[each.cell for each in judged])
        left_out |= {cell: ("not asked for",) for cell in fitting if cell not in chosen}
        always = self.matrix.always(checkout=self.checkout is not None)
        if selection == "pull-request":
            chosen = self._narrow(chosen, [c for c in chosen if not self.matrix.nightly_only(c)], left_out, "runs only at night")
            few = select_pairwise(chosen, cost=self.durations.of, always=always)
            chosen = self._narrow(chosen, few, left_out, "other cells cover all its pairs")
        changed = None
        if since is not None:
            changed = tuple(paths_changed_since(since))
            touched = ChangeTree(self.matrix).touched(changed, chosen, always=always)
            chosen = self._narrow(chosen, touched, left_out, f"no change since {since} affects it")
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
        """Return a cell by its name. UsageError suggests the nearest for an unknown one; NotPossible gives the reasons against it."""
        cells = {cell.name: cell for cell in self.matrix.cells(checkout=self.checkout is not None)}
        if name not in cells:
            if self.checkout is None and name in {cell.name for cell in self.matrix.cells(checkout=True)}:
                raise UsageError(f"{name} tests a checkout, and no checkout is given", remedy=f"name one: --{CHECKOUT} ./karmada")
            near = difflib.get_close_matches(name, cells, n=3, cutoff=0.5)
            raise UsageError(
                f"unknown cell {name!r}",
                remedy=(f"did you mean {' or '.join(near)}? " if near else "")
                + "`make matrix` lists them: provider-deployer-release-kubernetes-suite",
            )
        judged = judge(self.matrix, [cells[name]], self.ask)[0]
        if judged.why:
            raise NotPossible(f"the cell {name} cannot be run: {'; '.join(judged.why)}", remedy="`make matrix` lists those that can")
        return cells[name]


def select_cells(only: Sequence[str], cells: Sequence[MatrixCell], *, among: Sequence[MatrixCell]) -> list[MatrixCell]:
    """Return the cells that match `only`: for each part that it names, one of the named values. UsageError for an unknown value."""
    values = {part: {getattr(cell, part) for cell in among} for part in PARTS}
    known = sorted(set().union(*values.values()))
    if strangers := [value for value in only if value not in known]:
        near = difflib.get_close_matches(strangers[0], known, n=3) or known
        raise UsageError(f"the matrix has no value {strangers[0]!r}", remedy=f"one of: {', '.join(near)}")
    wanted = {part: values[part] & set(only) for part in PARTS}
    return [cell for cell in cells if all(not wanted[part] or getattr(cell, part) in wanted[part] for part in PARTS)]
