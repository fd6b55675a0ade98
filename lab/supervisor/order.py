"""The order in which programs stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError

from lab.waves import order_waves


def stop_waves(needs: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the names in waves: a program is in a later wave than all programs that need it.

    Needs that name an unknown program are ignored. Programs that need each other, and what they need, form the last wave:
    a mistake in the data must not prevent a lab from being taken down.
    """
    needed_by: dict[str, set[str]] = {name: set() for name in sorted(needs)}
    for name, wanted in needs.items():
        for need in wanted:
            if need in needed_by and need != name:
                needed_by[need].add(name)
    waves: list[list[str]] = []
    try:
        waves.extend(order_waves(needed_by))
    except CycleError:
        waves.append([name for name in needed_by if name not in {name for wave in waves for name in wave}])
    return waves
