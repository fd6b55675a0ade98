"""What depends on Kubernetes' version: the etcd of a cluster, and the settings that a version does not know (kubernetes_versions.toml)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.documents import read_toml

FILE = Path(__file__).with_suffix(".toml")


def parse_minor(version: str) -> tuple[int, int]:
    """Return major and minor of a version such as 1.35.4 or 1.35. ValueError for text of another shape."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def find_etcd(kubernetes: str) -> str:
    """Return the version of etcd that a cluster of this Kubernetes version has."""
    table: Mapping[str, str] = load_table()["etcd"]
    since = sorted(table, key=parse_minor)
    return table[max((each for each in since if parse_minor(each) <= parse_minor(kubernetes)), key=parse_minor, default=since[0])]


def knows(program: str, name: str, kubernetes: str) -> bool:
    """Whether a program of this Kubernetes version has a setting; one that the table does not list is in all versions."""
    minor = parse_minor(kubernetes)
    return all(
        parse_minor(row.get("since", "0.0")) <= minor <= parse_minor(row.get("until", "999.0"))
        for row in load_table()["settings"]
        if row["program"] == program and row["name"] == name
    )


def keep_known(program: str, settings: Mapping[str, Any], kubernetes: str) -> dict[str, Any]:
    """Return the settings that a program of this Kubernetes version has."""
    return {name: value for name, value in settings.items() if knows(program, name, kubernetes)}


@functools.cache
def load_table() -> dict[str, Any]:
    """Return the table, read once."""
    return read_toml(FILE, what="the table of Kubernetes' versions")
