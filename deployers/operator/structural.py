"""JSON Schema of a pydantic model as a structural schema of Kubernetes (OpenAPI v3 without references).

References are inlined, `null` and titles dropped, a constant is an enum of one value. What has no structural form is an error here and
not a refusal by an API server: alternatives, keys by pattern, recursion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Json = dict[str, Any]
KEPT = (
    "type",
    "format",
    "description",
    "default",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
)
"""Keywords that mean the same in both."""
DROPPED = frozenset({"title", "$defs", "$ref", "const", "anyOf", "allOf", "properties", "items", "additionalProperties", "propertyNames"})
"""Keywords that have no counterpart, or are handled by their own code."""


class NotStructural(ValueError):
    """A schema has no structural form. The text begins with the path of the field."""


def make_structural(model: type[BaseModel]) -> Json:
    """Return the structural schema of a model. NotStructural names the first field that cannot be expressed."""
    document = model.model_json_schema(by_alias=True, mode="validation")
    return convert(document, document.get("$defs", {}), path="", inside=())


def convert(schema: Mapping[str, Any], definitions: Mapping[str, Json], *, path: str, inside: tuple[str, ...]) -> Json:
    """Return the structural form of one schema. `inside` are the definitions that it is a part of."""
    merged, inside = resolve(schema, definitions, path=path, inside=inside)
    if unknown := [key for key in merged if key not in KEPT and key not in DROPPED and not key.startswith("x-kubernetes-")]:
        raise NotStructural(f"{path}: no structural form for {', '.join(unknown)}")
    found = {key: merged[key] for key in KEPT if key in merged and not (key == "default" and merged[key] is None)}
    found |= {key: value for key, value in merged.items() if key.startswith("x-kubernetes-")}
    if "const" in merged:
        found["enum"] = [merged["const"]]
    if found.get("default") in ([], {}):
        del found["default"]  # the server would write an empty list into each object
    if "properties" in merged:
        found["properties"] = {
            name: convert(each, definitions, path=f"{path}.{name}", inside=inside) for name, each in merged["properties"].items()
        }
    elif isinstance(merged.get("additionalProperties"), dict):
        found["additionalProperties"] = convert(merged["additionalProperties"], definitions, path=f"{path}.*", inside=inside)
    if "items" in merged:
        found["items"] = convert(merged["items"], definitions, path=f"{path}[]", inside=inside)
    if "description" in found:
        found["description"] = " ".join(found["description"].split())
    if "type" not in found:
        raise NotStructural(f"{path}: a schema without a type")
    return found


def resolve(
    schema: Mapping[str, Any], definitions: Mapping[str, Json], *, path: str, inside: tuple[str, ...]
) -> tuple[Json, tuple[str, ...]]:
    """Return a schema without references and without the alternative `null`; what stands beside a reference wins over its target."""
    merged = dict(schema)
    while "$ref" in merged or "anyOf" in merged or "allOf" in merged:
        if "$ref" in merged:
            name = str(merged.pop("$ref")).rpartition("/")[2]
            if name in inside:
                raise NotStructural(f"{path}: {name} contains itself")
            inside = (*inside, name)
            merged = {**definitions[name], **merged}
            continue
        key = "anyOf" if "anyOf" in merged else "allOf"
        choices = [choice for choice in merged.pop(key) if choice.get("type") != "null"]
        if len(choices) != 1:
            raise NotStructural(f"{path}: {len(choices)} alternatives")
        merged = {**choices[0], **merged}
    return merged, inside
