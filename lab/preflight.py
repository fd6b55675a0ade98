"""Preflight: everything that is wrong with a lab, found before anything is created. `lab up`, `--plan` and `lab doctor` use the same.

A Problem is of the lab file (exit code 2) or of this computer (3). `check_fields` walks a validated spec and applies the rule of each
field (`lab.rules`); `deployers.up.preflight` combines the problems of a lab, and `raise_problems` reports all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

from lab.errors import NotPossible, UsageError
from lab.hints import command

SPEC: Literal[2] = 2
COMPUTER: Literal[3] = 3


@dataclass(frozen=True)
class Problem:
    """One fault. `path` is the key in the lab file (`members[0].name`) or an option (`--mirror`); "" when it is of the computer."""

    path: str
    why: str
    remedy: str = ""
    code: Literal[2, 3] = SPEC

    def __str__(self) -> str:
        text = f"{self.path}: {self.why}" if self.path else self.why
        return f"{text}; {self.remedy}" if self.remedy else text

    def below(self, prefix: str) -> Problem:
        """Return the same problem with the path inside `prefix`."""
        return replace(self, path=f"{prefix}.{self.path}" if self.path else prefix)


def parse_problem(line: str, *, prefix: str = "", code: Literal[2, 3] = SPEC) -> Problem:
    """Return the problem that a line `key: why` states."""
    path, colon, why = line.partition(": ")
    if not colon or " " in path:
        return Problem(prefix, line, code=code)
    return Problem(f"{prefix}.{path}" if prefix else path, why, code=code)


def computer_problem(line: str) -> Problem:
    """Return the problem of this computer that a line states."""
    return Problem("", line, code=COMPUTER)


def raise_problems(problems: Iterable[Problem], *, what: str = "this lab", source: str = "") -> None:
    """Return when there is no problem. UsageError (2) when the spec has one, else NotPossible (3); the detail lists all of them."""
    found = sorted(dict.fromkeys(problems), key=lambda problem: problem.code)
    if not found:
        return
    detail, remedies = "\n".join(str(problem) for problem in found), {problem.remedy for problem in found}
    remedy = remedies.pop() if len(remedies) == 1 else ""  # each has its own otherwise, in its line
    if found[0].code == SPEC:
        raise UsageError(f"{what} cannot be brought up: the spec is wrong", where=source or None, detail=detail, remedy=remedy or FIX)
    raise NotPossible(f"{what} cannot be brought up here", where=source or None, detail=detail, remedy=remedy or DOCTOR)


FIX = "change the keys above; nothing was created"
DOCTOR = f"{command('doctor')}   (what this computer can do)"

Found = Iterable["Problem | str"]
"""What a rule yields: a sentence about the value, or a Problem with the path inside the value (`["disk type"]`)."""


@dataclass(frozen=True)
class Place:
    """Where a value is: its path, the model that holds it, and the whole spec."""

    path: str
    owner: BaseModel
    root: BaseModel


Rule = Callable[[Any, Place], Found]
Rules = Mapping[tuple[type[BaseModel], str], Rule]
"""The rule of a field, by the model that defines it and the field's name."""


def find_rule(rules: Mapping[tuple[type[BaseModel], str], Any], model: type[BaseModel], field: str) -> Any:
    """Return what a table has for a field of a model or of a model it derives from; None when it has nothing."""
    return next((rules[(base, field)] for base in model.__mro__ if (base, field) in rules), None)


def check_fields(spec: BaseModel, rules: Rules, *, path: str = "", root: BaseModel | None = None) -> Iterator[Problem]:
    """Yield the problems of a spec's fields and of the models inside it, in the order of the fields."""
    root = root or spec
    for field in type(spec).model_fields:
        value, at = getattr(spec, field), f"{path}.{field}" if path else field
        if (rule := find_rule(rules, type(spec), field)) is not None:
            for found in rule(value, Place(at, spec, root)):
                yield Problem(at, found) if isinstance(found, str) else replace(found, path=f"{at}{found.path}")
        for key, inner in models_in(value):
            yield from check_fields(inner, rules, path=f"{at}{key}", root=root)


def models_in(value: Any) -> Iterator[tuple[str, BaseModel]]:
    """Yield the models in a field's value, each with its index or key as a path has it."""
    if isinstance(value, BaseModel):
        yield "", value
    elif isinstance(value, tuple):
        yield from ((f"[{number}]", each) for number, each in enumerate(value) if isinstance(each, BaseModel))
    elif isinstance(value, dict):
        yield from ((f".{key}", each) for key, each in value.items() if isinstance(each, BaseModel))
