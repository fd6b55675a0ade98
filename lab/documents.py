"""Files that people write: TOML, and the text of others, whatever editor saved them.

UTF-8, with or without a byte-order mark; never the locale's encoding. JSON and YAML are given to their parsers as bytes: both
recognise their encodings themselves.
"""

from __future__ import annotations

import codecs
import errno
import stat
import tomllib
from pathlib import Path
from typing import Any

from lab.errors import UsageError

OTHERS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16: its mark begins with UTF-16's
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_file(path: Path) -> bytes:
    """Return the content of a file. OSError also for a named pipe: reading one waits for a writer, which may never come."""
    if stat.S_ISFIFO(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is a named pipe, not a file", str(path))
    return path.read_bytes()


def decode(data: bytes) -> str:
    """Return the text of a file without its byte-order mark. ValueError says in which encoding it is, or in which line it is not UTF-8."""
    other = next((name for mark, name in OTHERS.items() if data.startswith(mark)), "")
    if not other and b"\0" in data:
        other = "UTF-16 without a byte-order mark, or not text"
    if other:
        raise ValueError(f"it is {other}: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"it is not UTF-8 (line {line}, byte 0x{data[error.start]:02x}): save it as UTF-8") from error


def parse_toml(data: bytes) -> dict[str, Any]:
    """Return the document of a TOML file's bytes. ValueError says what is wrong and in which line."""
    try:
        return tomllib.loads(decode(data))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_toml(path: Path, *, what: str) -> dict[str, Any]:
    """Return the document of a TOML file. UsageError names the file, what it is, and why it cannot be read."""
    try:
        return parse_toml(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {what}: {error.strerror or error}", where=str(path)) from error
    except ValueError as error:
        raise UsageError(f"cannot read {what}: {error}", where=str(path)) from error
