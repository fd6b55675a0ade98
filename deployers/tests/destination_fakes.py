"""Names of archives, and a destination in memory that can lose or change what it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deployers.backup.destinations.protocol import StoredArchive, missing_archive, sort_archives

NAMES = (
    "karmada-0123abcd-20261124T205614Z-r344.tar.gz",
    "karmada-0123abcd-20261125T205614Z-r400.tar.gz.age",
)
OTHER = "karmada-ffffffff-20261120T000000Z-r7.tar.gz"


@dataclass
class Memory:
    """A destination; `spoil` changes what it is given, None loses it."""

    spoil: Callable[[bytes], bytes | None] = lambda content: content
    kept: dict[str, bytes] = field(default_factory=dict)
    url: str = "memory"

    def locate(self, name: str) -> str:
        return f"{self.url}/{name}"

    def put(self, file: Path, name: str) -> None:
        content = self.spoil(file.read_bytes())
        if content is not None:
            self.kept[name] = content

    def get(self, name: str, to: Path) -> None:
        if name not in self.kept:
            raise missing_archive(self.locate(name))
        to.write_bytes(self.kept[name])

    def list_archives(self) -> list[StoredArchive]:
        return sort_archives({name: len(content) for name, content in self.kept.items()})

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)

    def discard_unfinished(self, plane: str) -> list[str]:
        return []
