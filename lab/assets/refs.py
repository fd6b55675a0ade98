"""AssetRef: how a thing is asked for, `kube-apiserver@1.35.4`, or `karmada-webhook@./karmada` for a checkout.

A version is written with or without its `v`; without any version the first pinned one is meant, which the catalogue knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError
from lab.limits.account import expand_home

NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
VERSION = re.compile(r"v?(?P<version>(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z]+([.-][0-9A-Za-z]+)*)?)")


def parse_version(text: str) -> str:
    """`text` without its leading v; UsageError when it is not MAJOR.MINOR.PATCH[-PRERELEASE]."""
    found = VERSION.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not a version", remedy="write it as 1.35.4 or v1.35.4")
    return found["version"]


def is_path(text: str) -> bool:
    """Whether a version or release means a directory: it has a slash, or starts with `.` or `~`."""
    return "/" in text or text.startswith((".", "~"))


def version_key(version: str) -> tuple[int, int, int, bool, str]:
    """A sort key: by number, a prerelease before its release."""
    numbers, _, pre = parse_version(version).partition("-")
    major, minor, patch = (int(n) for n in numbers.split("."))
    return (major, minor, patch, not pre, pre)


@dataclass(frozen=True, order=True)
class AssetRef:
    """A thing by name, and which one: a pinned version, or the absolute path of a checkout that it is built from.

    `version` is "" for "the first pinned one".
    """

    name: str
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> AssetRef:
        """The ref that `str()` of it writes; UsageError says what is wrong. A path is made absolute, not looked at."""
        name, at, version = text.partition("@")
        if NAME.fullmatch(name) is None:
            raise UsageError(f"{text!r} does not name an asset", remedy="write NAME or NAME@VERSION, as kube-apiserver@1.35.4")
        if not at:
            return cls(name)
        if is_path(version):
            return cls(name, str(expand_home(Path(version)).absolute()))
        return cls(name, parse_version(version))

    @property
    def checkout(self) -> Path | None:
        """The directory it is built from, or None for a pinned version."""
        return Path(self.version) if self.version.startswith("/") else None

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name
