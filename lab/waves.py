"""Order by needs, for all that has names: steps, programs, addons, jobs.

graphlib sorts; this module keeps the order within each wave stable. graphlib costs 1 ms of start-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter


def order_waves(needs: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Yield the names in waves, each in the order given: every need is in an earlier wave. Every need must be a name too.

    CycleError when names need each other, after all waves that do not depend on them; its second argument is the cycle.
    """
    sorter, cycle = TopologicalSorter(needs), None
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = error
    place = {name: number for number, name in enumerate(needs)}
    while ready := sorter.get_ready():
        yield sorted(ready, key=place.__getitem__)
        sorter.done(*ready)
    if cycle:
        raise cycle
