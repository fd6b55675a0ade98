"""Problems of a lab file, by their paths."""

from __future__ import annotations

from typing import Any

from lab.preflight import Problem, check_fields
from lab.providers.embedded import Embedded
from lab.providers.kind import Kind
from lab.rules import RULES
from lab.spec import LabSpec, parse


def problems(member: dict[str, Any] | None = None, *, lab: str = "", **document: Any) -> list[Problem]:
    spec = parse(LabSpec, {"members": [{"name": "m", **(member or {})}], **document}, source="test")
    provider = Kind() if spec.provider == "kind" else Embedded()
    return [*check_fields(spec, RULES), *provider.check_spec(spec, lab=lab)]


def paths(member: dict[str, Any] | None = None, **document: Any) -> list[str]:
    return [problem.path for problem in problems(member, **document)]
