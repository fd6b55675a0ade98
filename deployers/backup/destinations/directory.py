"""A directory of this computer, for example a mounted share."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployers.backup.archive import CHUNK
from deployers.backup.destinations.protocol import StoredArchive, missing_archive, sort_archives
from lab.errors import NotPossible
from lab.run import replace_file

UNFINISHED = re.compile(r"\.karmada-(?P<plane>[0-9a-f]{8})-\d{8}T\d{6}Z-r\d+\.tar\.gz(\.age)?\.\w+")
"""What `replace_file` calls a file that is being written."""


@dataclass(frozen=True)
class ArchiveFolder:
    """A destination: archives are its files, mode 0600."""

    folder: Path

    @property
    def url(self) -> str:
        return str(self.folder)

    def locate(self, name: str) -> str:
        return str(self.folder / name)

    def put(self, file: Path, name: str) -> None:
        with self.explain("written", name):
            self.folder.mkdir(parents=True, exist_ok=True)
            with replace_file(self.folder / name) as unfinished, file.open("rb") as source, unfinished.open("wb") as out:
                shutil.copyfileobj(source, out, CHUNK)

    def get(self, name: str, to: Path) -> None:
        with self.explain("read", name):
            try:
                source = (self.folder / name).open("rb")
            except FileNotFoundError as error:
                raise missing_archive(self.locate(name)) from error
            with source, to.open("wb") as out:
                shutil.copyfileobj(source, out, CHUNK)

    def list_archives(self) -> list[StoredArchive]:
        with self.explain("listed"):
            if not self.folder.exists():
                return []
            return sort_archives({path.name: path.stat().st_size for path in self.folder.iterdir() if path.is_file()})

    def delete(self, name: str) -> None:
        with self.explain("deleted", name):
            (self.folder / name).unlink(missing_ok=True)

    def discard_unfinished(self, plane: str) -> list[str]:
        with self.explain("deleted"):
            if not self.folder.is_dir():
                return []
            left = [path for path in self.folder.iterdir() if (match := UNFINISHED.fullmatch(path.name)) and match["plane"] == plane[:8]]
            for path in left:
                path.unlink(missing_ok=True)
            return [path.name for path in left]

    @contextmanager
    def explain(self, done: str, name: str = "") -> Iterator[None]:
        """Raise NotPossible when a file operation fails."""
        try:
            yield
        except OSError as error:
            raise NotPossible(
                f"the backup cannot be {done}: {error.strerror or error}",
                where=self.locate(name),
                remedy="make room or make it accessible, or name another directory",
            ) from error
