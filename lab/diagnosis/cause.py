"""A cause: one thing that is wrong with a lab, in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """The order in which causes are reported: what is below breaks what is above it."""

    COMPUTER = 0
    PROGRAM = 1
    STORE = 2
    CERTIFICATE = 3
    SERVER = 4
    CLUSTER = 5
    KARMADA = 6
    WORKLOAD = 7


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong. `text` is one line and names its subject first.

    `blocking`: what depends on the subject cannot succeed before a repair, so that a wait for it may end early.
    """

    rank: Rank
    text: str
    remedy: str = ""
    blocking: bool = False

    @property
    def subject(self) -> str:
        """What the cause is about: the first word of its text."""
        return self.text.partition(" ")[0]


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a lab, first causes first. `unanswered` are the sources that gave no answer in time, or one that is no answer."""

    causes: tuple[Cause, ...] = ()
    unanswered: tuple[str, ...] = ()


def sort_causes(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Return causes by rank, each text once, at its lowest rank; the order within a rank is kept."""
    found: dict[str, Cause] = {}
    for cause in sorted(causes, key=lambda cause: cause.rank):
        found.setdefault(cause.text, cause)
    return tuple(found.values())
