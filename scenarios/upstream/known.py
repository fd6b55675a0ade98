"""`known.toml`: specs that are skipped here, and specs that fail, each with its reason and owner.

    [[skip]]                 not run            [[fails]]   run, and expected to fail: a pass is reported
    text = "…"               a part of the spec's text; or `pattern`, a regular expression; or `label`, one of ginkgo's
    owner = "environment"    this computer or lab lacks something; "product": Karmada or its suite; "ours": this project must fix it
    why = "…"
    providers = ["embedded"] the providers that it applies to, if not all
    releases = ["1.18.2"]    the releases that it applies to, if not all

An entry that matches no spec of its releases is an error: upstream has changed, or the entry has a typo.
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
    """One entry of the file: which specs, owner and reason."""

    text: str = ""
    pattern: str = ""
    label: str = ""
    owner: Literal["environment", "product", "ours"]
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
            raise ValueError("exactly one of text, pattern and label must be given")
        return self

    @cached_property
    def regexp(self) -> str:
        """The regular expression for ginkgo's --skip; Go and Python read those used here alike. Empty for a label."""
        return self.pattern or quote(self.text)

    @property
    def selector(self) -> str:
        """The line by which the entry is found in the file."""
        return next(f"{key} = {value!r}" for key in ("text", "pattern", "label") if (value := getattr(self, key)))

    def matches(self, spec: Spec) -> bool:
        """Return whether the entry matches a spec."""
        return self.label in spec.labels if self.label else re.search(self.regexp, spec.matched) is not None

    def holds(self, *, provider: str, release: str) -> bool:
        """Return whether the entry applies to a lab. Entries with releases do not apply to a checkout: its version is never listed."""
        return provider in (self.providers or (provider,)) and release in (self.releases or (release,))


class KnownSpecs(Strict):
    """The file."""

    skip: tuple[KnownSpec, ...] = ()
    fails: tuple[KnownSpec, ...] = ()

    @classmethod
    def load(cls, path: Path = FILE) -> KnownSpecs:
        """Read the file. UsageError names every invalid key."""
        return parse(cls, read(path, what="list of known specs"), source=str(path))

    def of(self, *, provider: str, release: str) -> KnownSpecs:
        """Return the entries that apply to a lab."""
        return KnownSpecs(
            skip=tuple(entry for entry in self.skip if entry.holds(provider=provider, release=release)),
            fails=tuple(entry for entry in self.fails if entry.holds(provider=provider, release=release)),
        )


def quote(text: str) -> str:
    """Return a regular expression, for Go and Python alike, that matches the text as it is."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)
