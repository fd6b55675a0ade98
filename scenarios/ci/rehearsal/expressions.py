"""Evaluate the part of GitHub's expressions that the workflows here use: `${{ … }}` in a text, and conditions of jobs and steps.

    template("cell-${{ matrix.cell }}", contexts)        condition("always() && needs.plan.result == 'success'", contexts)

Unsupported syntax raises UsageError. Values are JSON values; an unknown property is null, as on GitHub.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.errors import UsageError

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|'(?P<text>(?:[^']|'')*)'|(?P<sign>==|!=|&&|\|\||[!().,\[\]*]))"
)
INSIDE = re.compile(r"\$\{\{(.*?)\}\}", re.S)
STATUS = frozenset({"always", "success", "failure", "cancelled"})
"""Status functions. A condition without one of them implies success()."""


@dataclass(frozen=True)
class Contexts:
    """The contexts of expressions (`github`, `inputs`, `matrix`, `needs`, `steps`, `env` …) and their additional functions."""

    values: Mapping[str, Any]
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def fill_template(text: str, contexts: Contexts) -> Any:
    """Return a text with its expressions evaluated. A text that is a single expression keeps the type of its value."""
    whole = INSIDE.fullmatch(text.strip())
    if whole and "${{" not in whole[1]:
        return evaluate(whole[1], contexts)
    return INSIDE.sub(lambda found: as_text(evaluate(found[1], contexts)), text)


def evaluate_condition(text: str | bool | None, contexts: Contexts) -> bool:
    """Return whether a job's or step's `if` holds; a missing one means success()."""
    if text is None:
        text = "success()"
    inside = INSIDE.fullmatch(as_text(text).strip())
    expression = inside[1] if inside else as_text(text)
    if not any(re.search(rf"\b{name}\s*\(", expression) for name in STATUS):
        expression = f"success() && ({expression})"
    return is_true(evaluate(expression, contexts))


def evaluate(text: str, contexts: Contexts) -> Any:
    """Return the value of one expression. UsageError when it is invalid or uses something unsupported."""
    reader = ExpressionReader(text, list(split_tokens(text)), contexts)
    value = reader.either()
    if reader.left:
        raise reader.refused()
    return value


def split_tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of each token of an expression."""
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise UsageError(f"unsupported expression: {text.strip()}", where=text[at:].strip())
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


@dataclass
class ExpressionReader:
    """Parses an expression from left to right and evaluates it; precedence rises from `||` over `&&`, `==` and `!` to values."""

    text: str
    left: list[tuple[str, str]]
    contexts: Contexts

    def refused(self) -> UsageError:
        rest = " ".join(word for _, word in self.left)
        return UsageError(f"unsupported expression: {self.text.strip()}", where=rest or "its end")

    def take(self, *signs: str) -> str | None:
        """Consume and return one of these signs if it is next, else return None."""
        if self.left and self.left[0][0] == "sign" and self.left[0][1] in signs:
            return self.left.pop(0)[1]
        return None

    def need(self, sign: str) -> None:
        if self.take(sign) is None:
            raise self.refused()

    def either(self) -> Any:
        value = self.both()
        while self.take("||"):
            other = self.both()
            value = value if is_true(value) else other
        return value

    def both(self) -> Any:
        value = self.equal()
        while self.take("&&"):
            other = self.equal()
            value = other if is_true(value) else value
        return value

    def equal(self) -> Any:
        value = self.negated()
        while sign := self.take("==", "!="):
            same = are_equal(value, self.negated())
            value = same if sign == "==" else not same
        return value

    def negated(self) -> Any:
        return not is_true(self.negated()) if self.take("!") else self.value()

    def value(self) -> Any:
        """Read a literal, a call, or a context and its properties."""
        if self.take("("):
            value = self.either()
            self.need(")")
            return self.picked(value)
        if not self.left:
            raise self.refused()
        kind, word = self.left.pop(0)
        if kind == "number":
            return float(word) if "." in word else int(word)
        if kind == "text":
            return word.replace("''", "'")
        if kind == "sign":
            self.left.insert(0, (kind, word))
            raise self.refused()
        if word in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[word]
        return self.picked(self.called(word) if self.take("(") else self.named(word))

    def named(self, word: str) -> Any:
        if word not in self.contexts.values:
            raise UsageError(f"unknown context {word!r}", where=self.text.strip(), remedy=f"one of: {', '.join(self.contexts.values)}")
        return self.contexts.values[word]

    def called(self, name: str) -> Any:
        arguments: list[Any] = []
        while not self.take(")"):
            arguments.append(self.either())
            if not self.take(","):
                self.need(")")
                break
        known = {**FUNCTIONS, **self.contexts.functions}
        if name not in known:
            raise UsageError(f"the function {name} is not supported", where=self.text.strip(), remedy=f"one of: {', '.join(known)}")
        return known[name](*arguments)

    def picked(self, value: Any) -> Any:
        """Read `.name`, `['name']` and `.*` after a value."""
        while sign := self.take(".", "["):
            if sign == "[":
                key = self.either()
                self.need("]")
            elif self.take("*"):
                value = list(value.values()) if isinstance(value, Mapping) else list(value or ())
                continue
            elif self.left and self.left[0][0] == "name":
                key = self.left.pop(0)[1]
            else:
                raise self.refused()
            value = [part.get(key) for part in value if isinstance(part, Mapping)] if isinstance(value, list) else value_at(value, key)
        return value


def value_at(value: Any, key: Any) -> Any:
    """Return a mapping's value of a key; null for anything else, as on GitHub."""
    return value.get(key) if isinstance(value, Mapping) else None


def is_true(value: Any) -> bool:
    """Return whether GitHub treats a value as true: any except false, 0, '' and null."""
    return value not in (False, 0, "", None)


def are_equal(one: Any, other: Any) -> bool:
    """Compare as GitHub does: texts ignoring case, values of different types as numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return bool(one == other) if type(one) is type(other) else to_number(one) == to_number(other)


def to_number(value: Any) -> float | None:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def as_text(value: Any) -> str:
    """Return a value as it is inserted into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def contains_value(where: Any, what: Any) -> bool:
    return any(are_equal(part, what) for part in where) if isinstance(where, list) else as_text(what).lower() in as_text(where).lower()


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "contains": contains_value,
    "startsWith": lambda text, begin: as_text(text).lower().startswith(as_text(begin).lower()),
    "endsWith": lambda text, end: as_text(text).lower().endswith(as_text(end).lower()),
    "format": lambda text, *parts: re.sub(r"\{(\d+)\}", lambda found: as_text(parts[int(found[1])]), text),
    "join": lambda parts, sign=",": sign.join(map(as_text, parts)),
    "toJSON": lambda value: json.dumps(value, indent=2),
    "fromJSON": json.loads,
    "hashFiles": lambda *patterns: f"hash of {', '.join(patterns)}",
}


def match_names(names: list[str], pattern: str) -> list[str]:
    """Return the names that match a pattern of actions/download-artifact."""
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]
