"""What can still be checked of a document that is not valid: its rules are applied to what is left without the invalid values."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)
ROUNDS = 20
"""Of validating: some faults show only when others are gone."""


def repair(model: type[Model], document: Any) -> tuple[Model | None, list[str]]:
    """Return the model of a document without its invalid values, and the paths of those; None when too little is left."""
    document, dropped = copy.deepcopy(document), list[str]()
    for _ in range(ROUNDS):
        try:
            return model.model_validate(document), dropped
        except ValidationError as error:
            places = {tuple(each for each in issue["loc"] if each != "[key]") for issue in error.errors()}
        for place in sorted(places, key=lambda each: tuple(map(str, each)), reverse=True):
            if not drop_value(document, place):
                return None, dropped
            dropped.append(format_path(place))
    return None, dropped


def format_path(place: Sequence[str | int]) -> str:
    """Return a place of a document as a path has it."""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(str(part) for part in place))


def drop_value(document: Any, place: Sequence[str | int]) -> bool:
    """Take the value at a place out of a document; tell whether there was one. A name gets a stand-in, an element of a list is emptied."""
    if not place:
        return False
    *folders, last = place
    inner = document
    try:
        for part in folders:
            inner = inner[part]
        given = inner[last]
        if last == "name":
            inner[last] = f"unnamed-{abs(hash(tuple(place))) % 10**6}"
        elif isinstance(inner, list) and isinstance(last, int):
            inner[last] = {"name": f"unnamed-{last}"} if isinstance(given, dict) and "name" in given else {}
        else:
            del inner[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True
