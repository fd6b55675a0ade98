"""The plan of a run of upstream's suite: all specs, minus known ones and those outside the focus."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.errors import UsageError
from lab.hints import command
from scenarios.upstream.known import KnownSpec, KnownSpecs, quote
from scenarios.upstream.spec import Spec


@dataclass(frozen=True)
class SuitePlan:
    """`run` and `skipped` are all that the focus leaves; `idle` are entries that match no spec at all."""

    run: Sequence[Spec]
    skipped: Sequence[tuple[Spec, KnownSpec]]
    expected: dict[Spec, KnownSpec]
    idle: Sequence[KnownSpec]
    total: int
    focus: str = ""

    @property
    def filters(self) -> list[str]:
        """The options with which ginkgo runs exactly these specs."""
        entries = list(dict.fromkeys(entry for _, entry in self.skipped))
        labels = " && ".join(f"!{entry.label}" for entry in entries if entry.label)
        return [
            *([f"--focus={self.focus}"] if self.focus else []),
            *(f"--skip={entry.regexp}" for entry in entries if not entry.label),
            *([f"--label-filter={labels}"] if labels else []),
        ]


def make_plan(specs: Sequence[Spec], known: KnownSpecs, *, focus: str = "") -> SuitePlan:
    """Return the plan. UsageError when the focus matches no spec (it names the nearest) or only skipped ones (it gives the reason)."""
    wanted = [spec for spec in specs if re.search(compile_focus(focus), spec.matched)]
    if not wanted:
        near = find_nearest(focus, (spec.text for spec in specs))
        raise UsageError(
            f"none of the {len(specs)} specs matches {focus!r}",
            remedy="the nearest: " + "; ".join(near) if near else f"`{command('upstream', '--list')}` prints them all",
        )
    skipped = [(spec, entry) for spec in wanted if (entry := first_match(known.skip, spec))]
    left_out = {spec for spec, _ in skipped}
    run = [spec for spec in wanted if spec not in left_out]
    if not run:
        spec, entry = skipped[0]
        raise UsageError(
            f"all {len(wanted)} specs that match {focus!r} cannot be run here",
            where=f"known.toml, {entry.selector}",
            detail=f"{spec.text}\n{entry.owner}: {entry.why}",
            remedy="take another focus, or a lab that has what they need",
        )
    expected = {spec: entry for spec in run if (entry := first_match(known.fails, spec))}
    idle = [entry for entry in (*known.skip, *known.fails) if not any(entry.matches(spec) for spec in specs)]
    return SuitePlan(run, skipped, expected, idle, len(specs), focus)


def first_match(entries: Iterable[KnownSpec], spec: Spec) -> KnownSpec | None:
    """Return the first entry that matches a spec."""
    return next((entry for entry in entries if entry.matches(spec)), None)


def compile_focus(focus: str) -> re.Pattern[str]:
    """Return the compiled focus. UsageError for an invalid expression shows how to match it literally."""
    try:
        return re.compile(focus)
    except re.error as error:
        raise UsageError(
            f"the focus {focus!r} is not a regular expression: {error}", remedy=f"to match it as it is: {quote(focus)}"
        ) from error


def find_nearest(focus: str, texts: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the texts that are most similar to a focus, by shared terms and parts of terms."""
    asked = split_terms(focus)

    def likeness(text: str) -> float:
        have = split_terms(text)
        return sum(max((difflib.SequenceMatcher(None, word, other).ratio() for other in have), default=0.0) ** 4 for word in asked)

    ranked = sorted(dict.fromkeys(texts), key=lambda text: (-likeness(text), len(text)))
    return [text for text in ranked[:most] if asked and likeness(text) / len(asked) > 0.3]


def split_terms(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
