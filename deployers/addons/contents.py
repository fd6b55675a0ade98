"""The objects of an addon's parts, read from its assets as upstream wrote them, or made by helm of upstream's charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from deployers.addon import HELM, Addon, AddonPart, Place
from deployers.pods.helm import Helm
from lab.errors import ProvisionError
from lab.machines.local import Local
from lab.run import Run
from lab.yaml_text import dump_yaml

Json = dict[str, Any]
Contents = Sequence[Sequence[Json]]
"""Objects of an addon for one place, part after part."""
CRD = "CustomResourceDefinition"


def contents(addon: Addon, version: str, place: Place, software: Mapping[str, Path], run: Run) -> Contents:
    """Return the objects of a version for one place; `software` has the assets by name@version; helm works in the run."""
    found: list[Sequence[Json]] = []
    for part in addon.parts_on(place):
        folder = software[f"{part.asset}@{version}"]
        if part.chart:
            found += render_chart(part, folder, Helm(software[HELM], Local(run.path), run.folder("data", "helm")))
        else:
            found.append(objects(part, folder))
    return found


def render_chart(part: AddonPart, folder: Path, helm: Helm) -> Contents:
    """Return the namespace of a chart's release, then the release. ProvisionError when helm cannot make it."""
    args = ("template", part.name, str(folder / part.chart), "--namespace", part.namespace, "--values", "-")
    made = documents(helm(*args, input=dump_yaml(part.values)).stdout, where=str(folder / part.chart))
    return [[{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": part.namespace}}], made]


def objects(part: AddonPart, folder: Path) -> list[Json]:
    """Return the objects of a part. ProvisionError when a pattern matches nothing or a file cannot be read: it is whole or not there."""
    found: list[Json] = []
    for pattern in part.files:
        files = sorted(folder.glob(pattern))
        if not files:
            raise ProvisionError(f"{part.asset} has no {pattern}", where=str(folder), remedy="correct `files` in the addon's file")
        for file in files:
            try:
                text = file.read_text()
            except (OSError, UnicodeDecodeError) as error:
                raise ProvisionError(f"a file of the addon cannot be read: {error}", where=str(file)) from error
            found += documents(text, where=str(file))
    return found


def documents(text: str, *, where: str) -> list[Json]:
    """Return the documents of a YAML text without their status. ProvisionError with the position for invalid YAML."""
    try:
        loaded = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        raise ProvisionError(f"reading the addon's files failed: {error}", where=where) from error
    return [{key: value for key, value in document.items() if key != "status"} for document in loaded if document]


def crds(contents: Contents) -> list[Json]:
    """Return the CRDs among the objects."""
    return [document for part in contents for document in part if document["kind"] == CRD]
