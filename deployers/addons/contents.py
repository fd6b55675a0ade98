"""The objects of an addon's parts, read from its assets as upstream wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from deployers.addons.definition import Addon, Part, Place
from lab.errors import ProvisionError

Json = dict[str, Any]
Contents = Sequence[Sequence[Json]]
"""Objects of an addon for one place, part after part."""
CRD = "CustomResourceDefinition"


def contents(addon: Addon, version: str, place: Place, software: Mapping[str, Path]) -> Contents:
    """Return the objects of a version for one place; `software` has the assets by name@version."""
    return [objects(part, software[f"{part.asset}@{version}"]) for part in addon.parts_on(place)]


def objects(part: Part, folder: Path) -> list[Json]:
    """Return the objects of a part. ProvisionError when a pattern matches nothing or a file cannot be read: it is whole or not there."""
    found: list[Json] = []
    for pattern in part.files:
        files = sorted(folder.glob(pattern))
        if not files:
            raise ProvisionError(f"{part.asset} has no {pattern}", where=str(folder), remedy="mend `files` in the addon's file")
        for file in files:
            found += documents(file)
    return found


def documents(file: Path) -> list[Json]:
    """Return the documents of a YAML file, without what is only a status."""
    try:
        loaded = list(yaml.load_all(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (OSError, yaml.YAMLError) as error:
        raise ProvisionError(f"a file of the addon cannot be used: {error}", where=str(file)) from error
    return [{key: value for key, value in document.items() if key != "status"} for document in loaded if document]


def crds(contents: Contents) -> list[Json]:
    """Return the CRDs among the objects."""
    return [document for part in contents for document in part if document["kind"] == CRD]
