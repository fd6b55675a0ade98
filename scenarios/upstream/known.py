"""`known.toml`: specs that are not run here, and specs that fail, each with its reason and whose it is.

    [[skip]]                 not run            [[fails]]   run, and expected to fail: one that passes is told
    text = "…"               what the spec's text holds; or `pattern`, a regular expression; or `label`, one of ginkgo's
    whose = "environment"    this computer or lab lacks something; "product": Karmada or its suite; "ours": this project's to mend
    why = "…"
    providers = ["embedded"] where it holds, if not everywhere
    releases = ["1.18.2"]    for which it holds, if not for all

An entry that matches no spec of a release that it is for is an error: either upstream changed, or it was a typo from the beginning.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from lab.spec import Strict, parse, read
from scenarios.upstream.spec import Spec

FILE = Path(__file__).parent / "known.toml"


class KnownSpec(Strict):
    """One thing that is known of some specs."""

    text: str = ""
    pattern: str = ""
    label: str = ""
    whose: Literal["environment", "product", "ours"]
    why: str = Field(min_length=20)
    providers: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()

    @field_validator("pattern")
    @classmethod
    def can_be_compiled(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def one_of_three(self) -> KnownSpec:
        if sum(map(bool, (self.text, self.pattern, self.label))) != 1:
            raise ValueError("one of text, pattern and label says which specs are meant")
        return self

    @cached_property
    def regexp(self) -> str:
        """What ginkgo is told to skip; Go's and Python's expressions agree on what is used here. Empty for a label."""
        return self.pattern or quote(self.text)

    @property
    def words(self) -> str:
        """How the entry is found in the file."""
        return next(f"{key} = {value!r}" for key in ("text", "pattern", "label") if (value := getattr(self, key)))

    def matches(self, spec: Spec) -> bool:
        """Tell whether a spec is meant."""
        return self.label in spec.labels if self.label else re.search(self.regexp, spec.matched) is not None

    def holds(self, *, provider: str, release: str) -> bool:
        """Tell whether it is of use on such a lab. A checkout's version is none that is listed: what is for some is not for it."""
        return provider in (self.providers or (provider,)) and release in (self.releases or (release,))


class Known(Strict):
    """The file."""

    skip: tuple[KnownSpec, ...] = ()
    fails: tuple[KnownSpec, ...] = ()

    @classmethod
    def load(cls, path: Path = FILE) -> Known:
        """Read it. UsageError tells every key that is wrong."""
        return parse(cls, read(path, what="what is known of upstream's suite"), source=str(path))

    def of(self, *, provider: str, release: str) -> Known:
        """Return what of it holds on such a lab."""
        return Known(
            skip=tuple(entry for entry in self.skip if entry.holds(provider=provider, release=release)),
            fails=tuple(entry for entry in self.fails if entry.holds(provider=provider, release=release)),
        )


def quote(text: str) -> str:
    """Return a regular expression, for Go and Python alike, that matches the text as it is."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)
