"""Few cells in which every two values meet: most faults that depend on a combination depend on two of its parts.

The pairs are those that some cell has; what cannot be, need not be covered. The choice is greedy: the cell with the most pairs that are
still to be covered, the cheapest of those, the first by name; then cells that turned out to be superfluous are left out again. So the
same cells give the same choice, in whatever order they come.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable

from scenarios.matrix.cells import MatrixCell

Pair = tuple[tuple[str, str], tuple[str, str]]


def pairs(cell: MatrixCell) -> set[Pair]:
    """Return every two (part, value) of a cell."""
    return set(itertools.combinations(cell.parts.items(), 2))


def pairwise(cells: Iterable[MatrixCell], *, cost: Callable[[MatrixCell], float], always: Iterable[MatrixCell] = ()) -> list[MatrixCell]:
    """Return a sorted choice of `cells` in which every pair that occurs in them occurs; those in `always` are part of it."""
    candidates = {cell: pairs(cell) for cell in sorted(set(cells))}
    chosen = [cell for cell in sorted(set(always)) if cell in candidates]
    kept = set(chosen)
    open_pairs = set().union(*candidates.values()).difference(*(candidates[cell] for cell in chosen))
    while open_pairs:
        best = min(candidates, key=lambda cell: (-len(candidates[cell] & open_pairs), cost(cell), cell))
        chosen.append(best)
        open_pairs -= candidates[best]
    return sorted(without_superfluous(chosen, kept))


def without_superfluous(chosen: list[MatrixCell], kept: set[MatrixCell]) -> list[MatrixCell]:
    """Return the choice without cells all of whose pairs other cells have, the first chosen looked at last."""
    times = Counter(pair for cell in chosen for pair in pairs(cell))
    needed: list[MatrixCell] = []
    for cell in reversed(chosen):
        if cell not in kept and all(times[pair] > 1 for pair in pairs(cell)):
            times.subtract(pairs(cell))
        else:
            needed.append(cell)
    return needed
