"""Rules of a LabSpec: every field has one, and each refuses what Kubernetes, a kubelet or the lab would refuse later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from lab.preflight import find_rule
from lab.providers.kind import Kind
from lab.rules import ANY_VALUE, RULES
from lab.spec import LabSpec, parse
from lab.tests.rules_fakes import paths


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a type, those inside unions, tuples and dicts among them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_of(inner)


def fields_without(model: type[BaseModel], *tables: Any, seen: set[type[BaseModel]] | None = None) -> list[str]:
    """Return the fields of a model, and of the models inside it, that no table names."""
    seen = set() if seen is None else seen
    if model in seen:
        return []
    seen.add(model)
    found = []
    for field, info in model.model_fields.items():
        if not any(find_rule(table, model, field) for table in tables):
            found.append(f"{model.__name__}.{field}")
        for inner in models_of(info.annotation):
            found += fields_without(inner, *tables, seen=seen)
    return found


def test_every_field_has_a_rule_or_a_reason_why_any_value_is_right() -> None:
    assert fields_without(LabSpec, RULES, ANY_VALUE) == []
    assert all(ANY_VALUE.values())


def test_a_field_that_is_left_out_is_named() -> None:
    class Wider(LabSpec):
        colour: str = ""

    assert fields_without(Wider, RULES, ANY_VALUE) == ["Wider.colour"]


def test_kind_names_are_host_names() -> None:
    def of(name: str, lab: str, workers: int = 0) -> list[str]:
        members = [{"name": name, "workers": [{"count": workers}] if workers else []}]
        spec = parse(LabSpec, {"provider": "kind", "members": members}, source="test")
        return [problem.path for problem in Kind().check_spec(spec, lab=lab)]

    # karmada-lab. + lab + . + member + -control-plane
    assert of("m" * 35, "a") == []
    assert of("m" * 36, "a") == ["members[0].name"]
    assert of("m" * 31, "abcde") == []
    assert of("m" * 32, "abcde", 15) == ["members[0].name"]
    assert of("m" * 18, "l" * 40) == [], "of a long lab's name a part is taken"


def test_sixteen_workers_in_two_groups() -> None:
    assert paths({"workers": [{"count": 8}, {"count": 8}]}, provider="kind") == ["members[0].workers"]
