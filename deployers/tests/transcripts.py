"""Shared by the transcripts of all ways to install: how a workload is written down, and the flag of which they must show a change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
CHANGED: Json = {"components": {"karmada-controller-manager": {"flags": {"cluster-failure-threshold": "77s"}}}}
"""The part of a spec that changes one flag."""


def list_commands(objects: Iterable[Json]) -> list[str]:
    """Return the replicas and the command of each workload, one flag a line."""
    lines = []
    for each in objects:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            program, *args = each["spec"]["template"]["spec"]["containers"][0]["command"]
            lines += ["", f"{each['metadata']['name']} × {each['spec']['replicas']}: {program}", *(f"  {arg}" for arg in args)]
    return lines


def list_objects(objects: Iterable[Json]) -> list[str]:
    """Return the kind and name of each object, sorted."""
    return sorted(f"{each['kind']} {each['metadata']['name']}" for each in objects)


def added_lines(before: str, after: str) -> list[str]:
    """Return the lines of a transcript that an earlier one has not."""
    known = set(before.splitlines())
    return [line.strip() for line in after.splitlines() if line not in known]
