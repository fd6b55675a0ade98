"""The order in which programs stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def stop_waves(needs: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the names in waves: a program is in a later wave than all programs that need it.

    Needs that name nobody here are ignored. Programs that need each other, and what they need, come last, together:
    a mistake in the data must not keep a lab from being taken down.
    """
    waiting = {name: {need for need in wanted if need in needs and need != name} for name, wanted in needs.items()}
    waves: list[list[str]] = []
    while waiting:
        needed = set().union(*waiting.values())
        wave = sorted(name for name in waiting if name not in needed) or sorted(waiting)
        waves.append(wave)
        for name in wave:
            del waiting[name]
    return waves
