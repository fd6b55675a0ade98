"""A Go module's archive: its checksum as go.sum writes it, and a directory out of it.

The checksum is dirhash's Hash1: sha256 over one line per file, sorted by name, "SHA256HEX  NAME", written as h1: and base64.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path, PurePosixPath

from lab.errors import ProvisionError


def compute_h1(archive: Path) -> str:
    """The checksum of a module archive; "not an archive" when it is none, which no checksum equals."""
    try:
        with zipfile.ZipFile(archive) as files:
            lines = []
            for name in sorted(n for n in files.namelist() if not n.endswith("/")):
                with files.open(name) as stream:
                    lines.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {name}\n")  # type: ignore[arg-type]
    except (zipfile.BadZipFile, EOFError):
        return "not an archive"
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def unpack_directory(archive: Path, prefix: str, target: Path) -> None:
    """Writes what is under `prefix` in `archive` to `target`. ProvisionError when there is nothing."""
    with zipfile.ZipFile(archive) as files:
        names = [n for n in files.namelist() if n.startswith(prefix) and not n.endswith("/")]
        for name in names:
            inside = PurePosixPath(name.removeprefix(prefix))
            if inside.is_absolute() or ".." in inside.parts:
                raise ProvisionError(f"{archive.name} holds a path that leads out of it: {name}")
            path = target / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files.read(name))
    if not names:
        raise ProvisionError(f"{archive.name} has no directory {prefix}", remedy="check `directory` in assets.toml")
