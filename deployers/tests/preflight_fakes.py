"""Problems of a lab file, by their paths."""

from __future__ import annotations

from typing import Any

from deployers.release import catalogue
from deployers.up.preflight import spec_errors
from deployers.wanted import prepare
from lab.assets import Supply
from lab.preflight import Problem


def problems(table: dict[str, Any] | None = None, *, lab: str = "", **changes: Any) -> list[Problem]:
    asked = {"members": [{"name": "member1"}], "karmada": table or {}, **changes}
    return spec_errors(prepare(asked), Supply(catalogue=catalogue(), offline=True), lab=lab)


def paths(table: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    return [problem.path for problem in problems(table, **changes)]


def component(name: str, **settings: Any) -> dict[str, Any]:
    return {"components": {name: settings}}
