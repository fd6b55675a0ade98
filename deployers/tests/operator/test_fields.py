from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from deployers.operator.crds import make_crds
from deployers.operator.document import SecretFiles, make_document
from deployers.operator.fields import HOST_FIELDS, KARMADA_FIELDS, NOT_IN_API
from deployers.spec import KarmadaSpec
from deployers.tests.operator_fakes import full_binary, full_pods, parse_spec
from lab.spec import MachineHost


def leaves(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """Yield the paths of a model's fields, those of models inside it in their place."""
    for name, field in model.model_fields.items():
        inner, mark = inner_model(field.annotation)
        if inner is None:
            yield f"{at}{name}"
        else:
            yield from leaves(inner, f"{at}{name}{mark}.")


def inner_model(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    mark = {dict: ".*", tuple: "[]"}.get(get_origin(annotation), "")
    return next(((each, mark) for each in get_args(annotation) if isinstance(each, type) and issubclass(each, BaseModel)), (None, ""))


def api_has(path: str) -> bool:
    schema = make_crds()[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for part in path.split("."):
        schema = schema["properties"].get(part.removesuffix("[]"))
        if schema is None:
            return False
        if part.endswith("[]"):
            schema = schema["items"]
    return True


def values_at(value: Any, path: list[str]) -> list[Any]:
    """Return the values of a model's field at a path; those of all entries of a list or table."""
    if not path or value is None:
        return [value]
    part, *rest = path
    if part == "*":
        return [found for each in value.values() for found in values_at(each, rest)]
    inner = getattr(value, part.removesuffix("[]"))
    if part.endswith("[]"):
        return [found for each in inner for found in values_at(each, rest)]
    return values_at(inner, rest)


@pytest.mark.parametrize(("model", "table"), [(KarmadaSpec, KARMADA_FIELDS), (MachineHost, HOST_FIELDS)])
def test_every_field_is_in_the_api_or_says_why_not(model: type[BaseModel], table: dict[str, str]) -> None:
    found = set(leaves(model))

    assert found - table.keys() - NOT_IN_API.keys() == set(), "give these a field of the API, or a reason in NOT_IN_API"
    assert table.keys() - found == set(), "these are no fields"
    assert not table.keys() & NOT_IN_API.keys()


def test_every_field_of_the_tables_is_one_of_the_api() -> None:
    assert [path for path in (*KARMADA_FIELDS.values(), *HOST_FIELDS.values()) if not api_has(path)] == []


def test_every_field_of_the_api_takes_effect() -> None:
    """Each field of the table differs from the default in a Karmada of the full examples."""
    plain = KarmadaSpec()
    seen: set[str] = set()
    for example in (full_binary(), full_pods()):
        made = KarmadaSpec.model_validate(make_document(parse_spec(example), SecretFiles(Path("/secrets")))["karmada"])
        for path in KARMADA_FIELDS:
            values = values_at(made, path.split("."))
            default = [] if "*" in path or "[]" in path else values_at(plain, path.split("."))
            if [value for value in values if value] and values != default:
                seen.add(path)

    assert KARMADA_FIELDS.keys() - seen == set()


def test_every_field_of_a_machine_takes_effect() -> None:
    hosts = make_document(parse_spec(full_binary()), SecretFiles(Path("/secrets")))["machines"]["hosts"]
    plain = MachineHost(name="x", address="x").model_dump()

    assert {key for host in hosts for key, value in host.items() if value != plain[key]} == set(HOST_FIELDS)
