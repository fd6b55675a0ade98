from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployers.operator.api import RULES
from deployers.operator.crds import make_crds

Json = dict[str, Any]


def schemas() -> Iterator[tuple[str, Json]]:
    """Yield every schema of every CRD with its path."""
    for crd in make_crds():
        yield from walk(crd["spec"]["names"]["kind"], crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])


def walk(path: str, schema: Json) -> Iterator[tuple[str, Json]]:
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from walk(f"{path}.{name}", each)
    for key, mark in (("items", "[]"), ("additionalProperties", "*")):
        if key in schema:
            yield from walk(f"{path}{mark}", schema[key])


def test_every_schema_is_structural() -> None:
    for path, schema in schemas():
        assert schema["type"] in {"object", "array", "string", "integer", "boolean"}, path
        assert not schema.keys() & {"$ref", "anyOf", "title", "const", "patternProperties", "nullable"}, path
        assert not ("properties" in schema and "additionalProperties" in schema), path
        assert "default" not in schema or schema["default"] is not None, path


def test_what_rules_read_has_a_limit() -> None:
    """An API server estimates the cost of a rule from the limits of the lists and texts below it, and refuses a CRD that costs too much."""
    spec = [(path, schema) for path, schema in schemas() if ".spec" in path]
    assert [path for path, schema in spec if schema["type"] == "array" and "maxItems" not in schema] == []
    assert [path for path, schema in spec if "additionalProperties" in schema and "maxProperties" not in schema] == []
    assert any(RULES in schema for _, schema in spec)


def test_a_list_of_objects_has_one_entry_a_name() -> None:
    for path, schema in schemas():
        if schema["type"] == "array" and schema["items"]["type"] == "object" and schema.get("x-kubernetes-list-type") != "atomic":
            (key,) = schema["x-kubernetes-list-map-keys"]
            assert key in schema["items"]["required"], path


def test_every_field_of_a_spec_has_a_description() -> None:
    assert [path for path, schema in schemas() if ".spec." in path and path[-1] not in "]*" and "description" not in schema] == []


def test_a_definition_shows_its_health_in_columns() -> None:
    (version,) = make_crds()[0]["spec"]["versions"]

    assert [column["name"] for column in version["additionalPrinterColumns"]][:3] == ["Ready", "Release", "Mode"]
    assert version["subresources"] == {"status": {}}
