"""Whose failure it is: test, product, infrastructure or harness, by the rules of rules.toml, with the proof for the verdict.

Only what is infrastructure's is ever retried. A failure that no rule knows is the harness': it owes a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from lab.documents import read_toml
from lab.errors import UsageError
from reports.failure import Failure
from reports.files import read_json, read_tail

RULES = Path(__file__).parent / "rules.toml"
WORDS = ("kind", "exit_code", "what", "phase")
PATTERNS = ("text", "logs", "origin", "through", "component")
NO_RULE = "no rule knows this failure: what it says is all there is to go by, and rules.toml lacks a line"
LOG_AT_MOST = 4 << 20
"""Bytes of the end of one log that are searched."""


class Owner(str, Enum):
    """Whose failure it is."""

    TEST = "test"
    PRODUCT = "product"
    INFRASTRUCTURE = "infrastructure"
    HARNESS = "harness"


@dataclass(frozen=True)
class Proof:
    """What a rule found: a line, and where it is ("its own words", or a file of the evidence)."""

    where: str
    line: str


@dataclass(frozen=True)
class Classification:
    """Whose failure it is, by which rule, and why one may believe it."""

    owner: Owner
    rule: str
    because: str
    proofs: tuple[Proof, ...] = ()

    @property
    def retried(self) -> bool:
        """Tell whether running it again is allowed."""
        return self.owner is Owner.INFRASTRUCTURE


@dataclass(frozen=True)
class OwnerRule:
    """One rule: all its conditions hold, or it says nothing."""

    name: str
    owner: Owner
    because: str
    words: dict[str, tuple[object, ...]]
    patterns: dict[str, re.Pattern[str]]

    def judge(self, failure: Failure) -> Classification | None:
        """Return the verdict, with a proof for each condition, when this rule fits."""
        proofs: list[Proof] = []
        for name, allowed in self.words.items():
            if getattr(failure, name) not in allowed:
                return None
            if name in {"kind", "exit_code"}:  # that it is a test, and in which phase, is said anyway
                proofs.append(Proof(name.replace("_", " "), str(getattr(failure, name))))
        for name, pattern in self.patterns.items():
            if (proof := PROVE[name](failure, pattern)) is None:
                return None
            proofs.append(proof)
        return Classification(self.owner, self.name, self.because, tuple(proofs))


def classify(failure: Failure, rules: Sequence[OwnerRule] | None = None) -> Classification:
    """Return the verdict of the first rule that fits."""
    for rule in rules if rules is not None else load_rules():
        if verdict := rule.judge(failure):
            return verdict
    return Classification(Owner.HARNESS, "none", NO_RULE)


@cache
def load_rules(path: Path = RULES) -> tuple[OwnerRule, ...]:
    """Return the rules of a file. UsageError names the rule that is wrong."""
    tables = read_toml(path, what="the rules of classification").get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError("cannot read the rules of classification: rule is not a list of tables", where=str(path), remedy="write [[rule]]")
    return tuple(parse_rule(table, path) for table in tables)


def parse_rule(table: dict[str, object], path: Path) -> OwnerRule:
    rest = dict(table)
    name = str(rest.pop("name", "?"))
    try:
        owner, because = Owner(rest.pop("class")), str(rest.pop("because"))
        words: dict[str, tuple[object, ...]] = {key: tuple(rest.pop(key)) for key in WORDS if key in rest}  # type: ignore[arg-type]
        patterns = {key: re.compile(str(rest.pop(key))) for key in PATTERNS if key in rest}
    except (KeyError, ValueError, TypeError, re.error) as error:
        raise UsageError(f"rule {name!r} is wrong: {error}", where=str(path)) from error
    if rest or not (words or patterns):
        wrong = f"has unknown keys: {', '.join(rest)}" if rest else "has no condition"
        raise UsageError(f"rule {name!r} {wrong}", where=str(path))
    return OwnerRule(name, owner, because, words, patterns)


# -- proofs ------------------------------------------------------------------------------------------------------------------------


def prove_by_text(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    found = pattern.search(failure.said)
    return Proof("its own words", get_line(failure.said, found)) if found else None


def prove_by_origin(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    return Proof("raised in", failure.origin) if failure.origin and pattern.search(failure.origin) else None


def prove_by_trace(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    frame = next((frame for frame in failure.trace if pattern.search(frame)), None)
    return Proof("raised for", frame) if frame else None


def prove_by_component(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    return Proof("program", failure.component) if pattern.search(failure.component) else None


def prove_by_logs(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    """Return the first line of the evidence's logs that the pattern finds; each is read after the name of its file."""
    for folder in failure.evidence:
        for path, line in list_matching_lines(folder):
            if pattern.search(f"{path}: {line}"):
                return Proof(f"{folder.name}/{path}", line.strip()[:400])
    return None


PROVE = {
    "text": prove_by_text,
    "origin": prove_by_origin,
    "through": prove_by_trace,
    "component": prove_by_component,
    "logs": prove_by_logs,
}


@cache
def list_matching_lines(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return (file, line) of each line of a collection's logs that any rule might be about, so that they are read once.

    What the collection lacks, and why, is read as the lines of its index.json: an engine that is gone is told by nothing else.
    """
    hints = re.compile("|".join(f"(?:{rule.patterns['logs'].pattern})" for rule in load_rules() if "logs" in rule.patterns))
    found: list[tuple[str, str]] = []
    for name, lines in [("index.json", list_missing_evidence(folder)), *read_logs(folder)]:
        found += [(name, line) for line in lines if hints.search(f"{name}: {line}")][:200]
    return tuple(found)


def read_logs(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each log of a collection by its name, and its last lines."""
    for path in sorted((folder / "logs").rglob("*.log")):
        yield str(path.relative_to(folder)), read_tail(path, LOG_AT_MOST).splitlines()


def list_missing_evidence(folder: Path) -> list[str]:
    """Return what a collection says that it lacks, one line each."""
    try:
        missing = read_json(folder / "index.json")["missing"]
        return [" ".join(f"{name}: {why}".split()) for name, why in missing.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def get_line(text: str, found: re.Match[str]) -> str:
    """Return the line in which a match begins, cut where it is long."""
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.start())
    return text[start : end if end >= 0 else len(text)].strip()[:400]
