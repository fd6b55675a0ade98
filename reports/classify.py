"""Classify a failure by owner (test, product, infrastructure or harness) with the rules of rules.toml, and give the proof.

Only infrastructure failures are retried. A failure that matches no rule belongs to the harness, which lacks a rule for it.
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
FIELDS = ("kind", "exit_code", "what", "phase")
PATTERNS = ("text", "logs", "origin", "through", "component")
NO_RULE = "no rule of rules.toml matches this failure: read its output, and add a rule"
LOG_AT_MOST = 4 << 20
"""Bytes at the end of each log that are searched."""


class Owner(str, Enum):
    """Who has to fix a failure."""

    TEST = "test"
    PRODUCT = "product"
    INFRASTRUCTURE = "infrastructure"
    HARNESS = "harness"


@dataclass(frozen=True)
class Proof:
    """A line that a rule matched, and where: "failure output", or a file of the evidence."""

    where: str
    line: str


@dataclass(frozen=True)
class Classification:
    """The owner of a failure, the rule that decided, and its proofs."""

    owner: Owner
    rule: str
    because: str
    proofs: tuple[Proof, ...] = ()

    @property
    def may_retry(self) -> bool:
        """Return whether the cell may be run again."""
        return self.owner is Owner.INFRASTRUCTURE


@dataclass(frozen=True)
class OwnerRule:
    """One rule. It matches when all its conditions hold."""

    name: str
    owner: Owner
    because: str
    fields: dict[str, tuple[object, ...]]
    patterns: dict[str, re.Pattern[str]]

    def judge(self, failure: Failure) -> Classification | None:
        """Return the classification with a proof for each condition; None when this rule does not match."""
        proofs: list[Proof] = []
        for name, allowed in self.fields.items():
            if getattr(failure, name) not in allowed:
                return None
            if name in {"kind", "exit_code"}:  # reports show the others beside the failure
                proofs.append(Proof(name.replace("_", " "), str(getattr(failure, name))))
        for name, pattern in self.patterns.items():
            if (proof := PROVE[name](failure, pattern)) is None:
                return None
            proofs.append(proof)
        return Classification(self.owner, self.name, self.because, tuple(proofs))


def classify(failure: Failure, rules: Sequence[OwnerRule] | None = None) -> Classification:
    """Return the classification by the first rule that matches."""
    for rule in rules if rules is not None else load_rules():
        if found := rule.judge(failure):
            return found
    return Classification(Owner.HARNESS, "none", NO_RULE)


@cache
def load_rules(path: Path = RULES) -> tuple[OwnerRule, ...]:
    """Return the rules of a file. Raise UsageError, which names the invalid rule."""
    tables = read_toml(path, what="the rules of classification").get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError("cannot read the rules of classification: rule is not a list of tables", where=str(path), remedy="write [[rule]]")
    return tuple(parse_rule(table, path) for table in tables)


def parse_rule(table: dict[str, object], path: Path) -> OwnerRule:
    rest = dict(table)
    name = str(rest.pop("name", "?"))
    try:
        owner, because = Owner(rest.pop("class")), str(rest.pop("because"))
        fields: dict[str, tuple[object, ...]] = {key: tuple(rest.pop(key)) for key in FIELDS if key in rest}  # type: ignore[arg-type]
        patterns = {key: re.compile(str(rest.pop(key))) for key in PATTERNS if key in rest}
    except (KeyError, ValueError, TypeError, re.error) as error:
        raise UsageError(f"rule {name!r} is not valid: {error}", where=str(path)) from error
    if rest or not (fields or patterns):
        wrong = f"has unknown keys: {', '.join(rest)}" if rest else "has no condition"
        raise UsageError(f"rule {name!r} {wrong}", where=str(path))
    return OwnerRule(name, owner, because, fields, patterns)


# -- proofs ------------------------------------------------------------------------------------------------------------------------


def prove_by_text(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    found = pattern.search(failure.message)
    return Proof("failure output", get_line(failure.message, found)) if found else None


def prove_by_origin(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    return Proof("raised in", failure.origin) if failure.origin and pattern.search(failure.origin) else None


def prove_by_trace(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    frame = next((frame for frame in failure.trace if pattern.search(frame)), None)
    return Proof("raised for", frame) if frame else None


def prove_by_component(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    return Proof("program", failure.component) if pattern.search(failure.component) else None


def prove_by_logs(failure: Failure, pattern: re.Pattern[str]) -> Proof | None:
    """Return the first matching line of the evidence's logs; the pattern is applied to "FILE: LINE"."""
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
    """Return (file, line) of each log line of a collection that matches any rule, so that the logs are read once.

    The entries of `missing` in index.json count as lines too: nothing else shows that a container engine is down.
    """
    hints = re.compile("|".join(f"(?:{rule.patterns['logs'].pattern})" for rule in load_rules() if "logs" in rule.patterns))
    found: list[tuple[str, str]] = []
    for name, lines in [("index.json", list_missing_evidence(folder)), *read_logs(folder)]:
        found += [(name, line) for line in lines if hints.search(f"{name}: {line}")][:200]
    return tuple(found)


def read_logs(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each log of a collection: its name and its last lines."""
    for path in sorted((folder / "logs").rglob("*.log")):
        yield str(path.relative_to(folder)), read_tail(path, LOG_AT_MOST).splitlines()


def list_missing_evidence(folder: Path) -> list[str]:
    """Return the entries that a collection lists as missing, one line each."""
    try:
        missing = read_json(folder / "index.json")["missing"]
        return [" ".join(f"{name}: {why}".split()) for name, why in missing.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def get_line(text: str, found: re.Match[str]) -> str:
    """Return the line in which a match begins, at most 400 characters of it."""
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.start())
    return text[start : end if end >= 0 else len(text)].strip()[:400]
