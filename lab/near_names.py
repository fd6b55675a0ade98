"""Near names: what an unknown key of a lab file probably means, at its own place or at another one of the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

Tables = Mapping[str, type[BaseModel]]
"""The models of a file by the table that each of them reads; "" is the top of the file."""

SURE, LIKELY = 0.8, 0.6
"""How alike two names are (difflib): beyond doubt, and enough where there is no better one."""


def near_names(name: str, names: Sequence[str], *, alike: float = LIKELY) -> list[str]:
    """Return the nearest of some names, at most one; case and `-` for `_` make no difference."""
    plain = {each.lower().replace("-", "_"): each for each in names}
    return [plain[each] for each in difflib.get_close_matches(name.lower().replace("-", "_"), plain, n=1, cutoff=alike)]


def near_keys(loc: Sequence[str | int], tables: Tables) -> list[str]:
    """Return the keys that an unknown one may mean, at most two: those beside it by their names, others by their places in the file."""
    *place, key = loc
    beside = list_names_at(place, tables)
    name = str(key)
    elsewhere = sorted(list_places(tables), key=lambda each: (each.count("."), each))
    exact = [each for each in elsewhere if last_part(each) == name.lower()]
    close = [name.lower()] if exact else near_names(name, sorted({last_part(each) for each in elsewhere}), alike=SURE)
    here = near_names(name, beside, alike=SURE) or ([] if exact else near_names(name, beside))
    return (
        here or [each if "." in each else f"{each}, at the top of the file" for each in exact or elsewhere if last_part(each) in close][:2]
    )


def did_you_mean(names: Sequence[str]) -> str:
    """Return the end of a sentence that names them; "" without any."""
    return f"; did you mean {' or '.join(repr(name) for name in names)}?" if names else ""


def last_part(place: str) -> str:
    return place.rpartition(".")[2]


def list_names_at(place: Sequence[str | int], tables: Tables) -> list[str]:
    """Return the keys that a place of the file can have, the names of tables at its top among them."""
    if place and place[0] in tables:
        model: type[BaseModel] | None = tables[str(place[0])]
        place = place[1:]
    else:
        model = tables.get("")
    top = [name for name in tables if name] if not place and model is tables.get("") else []
    for part in place:
        if model and isinstance(part, str) and part in model.model_fields:
            model = next(models_in(model.model_fields[part].annotation), None)
    return [*(model.model_fields if model else ()), *top]


def list_places(tables: Tables) -> Iterator[str]:
    """Yield every key of a file with its place: karmada.etcd.members, members[].nodes[].cpu."""
    for table, model in tables.items():
        if table:
            yield table
        yield from list_places_in(model, f"{table}." if table else "")


def list_places_in(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        inside = str(field.annotation)
        form = "[]" if "tuple[" in inside or "list[" in inside else ".NAME" if "dict[" in inside else ""
        for inner in models_in(field.annotation):
            if inner is not model:
                yield from list_places_in(inner, f"{prefix}{name}{form}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a field's type holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from models_in(inner)
