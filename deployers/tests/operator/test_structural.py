from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from deployers.operator.structural import NotStructural, make_structural
from lab.spec import FileName, Name, Version


class Leaf(BaseModel):
    """A leaf."""

    kind: Literal["one"]
    size: int | None = Field(default=None, ge=1, description="The size.")


class Tree(BaseModel):
    leaf: Leaf = Field(description="This leaf.")
    leaves: tuple[Leaf, ...] = Field(default=(), max_length=3)
    by_name: dict[str, Leaf] = Field(default_factory=dict)


class Recursive(BaseModel):
    inside: Recursive | None = None


class Alternatives(BaseModel):
    value: int | str


class Keyed(BaseModel):
    name: Name
    version: Version = "1.0.0"
    file: FileName


def test_references_are_inlined_and_nullable_fields_are_optional() -> None:
    made = make_structural(Tree)

    leaf = made["properties"]["leaf"]
    assert leaf["description"] == "This leaf."
    assert leaf["properties"]["kind"] == {"type": "string", "enum": ["one"]}
    assert leaf["properties"]["size"] == {"type": "integer", "description": "The size.", "minimum": 1}
    assert leaf["required"] == ["kind"]
    assert made["properties"]["leaves"]["items"]["description"] == "A leaf."
    assert made["properties"]["by_name"]["additionalProperties"]["type"] == "object"
    assert "default" not in made["properties"]["leaves"]


@pytest.mark.parametrize(("model", "path"), [(Recursive, ".inside"), (Alternatives, ".value")])
def test_what_has_no_structural_form_is_an_error_with_the_path(model: Any, path: str) -> None:
    with pytest.raises(NotStructural, match=path):
        make_structural(model)


def test_types_of_lab_files_have_their_patterns() -> None:
    properties = make_structural(Keyed)["properties"]

    assert all("pattern" in properties[name] for name in ("name", "version", "file"))
    assert properties["version"]["default"] == "1.0.0"
