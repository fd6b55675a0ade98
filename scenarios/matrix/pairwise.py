"""Few cells that cover every pair of values: most faults that depend on a combination depend on two of its parts.

Only pairs that occur in some cell are covered. The choice is greedy: the cell that covers most new pairs, among equals the cheapest, then
the first by name; afterwards superfluous cells are removed. So the choice does not depend on the order of the cells.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable

from scenarios.matrix.cells import MatrixCell

Pair = tuple[tuple[str, str], tuple[str, str]]


def list_pairs(cell: MatrixCell) -> set[Pair]:
    """Return every pair of (part, value) of a cell."""
    return set(itertools.combinations(cell.parts.items(), 2))


def select_pairwise(
    cells: Iterable[MatrixCell], *, cost: Callable[[MatrixCell], float], always: Iterable[MatrixCell] = ()
) -> list[MatrixCell]:
    """Return a sorted choice of `cells` that covers every pair occurring in them and includes those in `always`."""
    candidates = {cell: list_pairs(cell) for cell in sorted(set(cells))}
    chosen = [cell for cell in sorted(set(always)) if cell in candidates]
    kept = set(chosen)
    open_pairs = set().union(*candidates.values()).difference(*(candidates[cell] for cell in chosen))
    while open_pairs:
        best = min(candidates, key=lambda cell: (-len(candidates[cell] & open_pairs), cost(cell), cell))
        chosen.append(best)
        open_pairs -= candidates[best]
    return sorted(without_superfluous(chosen, kept))


def without_superfluous(chosen: list[MatrixCell], kept: set[MatrixCell]) -> list[MatrixCell]:
    """Return the choice without cells that have no pair of their own; examine the first chosen last."""
    times = Counter(pair for cell in chosen for pair in list_pairs(cell))
    needed: list[MatrixCell] = []
    for cell in reversed(chosen):
        if cell not in kept and all(times[pair] > 1 for pair in list_pairs(cell)):
            times.subtract(list_pairs(cell))
        else:
            needed.append(cell)
    return needed
