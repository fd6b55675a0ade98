"""Read the files of a job safely: regular files only, up to a size, and only valid JSON values.

A pipe would block for ever, a file of gigabytes would fill the memory, and `NaN`, an unpaired surrogate or deep nesting would break a
report far from here. This module raises an OSError or a ValueError with the reason instead.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lab.terminal.text import bytes_text

DOCUMENT_AT_MOST = 16 << 20
"""Bytes of one JSON or TOML document."""

LINE_AT_MOST = 16 << 20
"""Bytes of one line of JSON; a longer one is skipped."""

DEEPEST = 64
"""Nesting levels of a JSON document."""

LATEST = 253_402_300_799
"""The last second of the year 9999."""

DIGITS = 18
"""Digits of an integer that stays an integer; a longer one becomes a float."""


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading. Raise OSError for a folder, a pipe, a device or a loop of links."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(errno.EINVAL, "not a regular file", str(path))


def read_bytes(path: Path, at_most: int = DOCUMENT_AT_MOST) -> bytes:
    """Return a file's content. Raise ValueError when it is larger than `at_most`."""
    with open_regular(path) as file:
        content = file.read(at_most + 1)
    if len(content) > at_most:
        raise ValueError(f"it is larger than {bytes_text(at_most)}")
    return content


def read_tail(path: Path, at_most: int) -> str:
    """Return the end of a text file; "" when it cannot be read."""
    try:
        with open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - at_most))
            return file.read(at_most).decode(errors="replace")
    except OSError:
        return ""


def read_lines(path: Path, at_most: int | None = None) -> Iterator[str]:
    """Yield the lines in the first `at_most` bytes of a text file; none when it cannot be read.

    A line that is too long gives an empty line, so that callers count it as unreadable.
    """
    left = at_most
    try:
        with open_regular(path) as file:
            while (left is None or left > 0) and (line := file.readline(LINE_AT_MOST)):
                left = left if left is None else left - len(line)
                if len(line) == LINE_AT_MOST and not line.endswith(b"\n"):
                    while (rest := file.readline(LINE_AT_MOST)) and not rest.endswith(b"\n"):
                        pass
                    line = b"\n"
                yield line.decode(errors="replace").rstrip("\r\n")
    except OSError:
        return


def read_json(path: Path, at_most: int = DOCUMENT_AT_MOST) -> Any:
    """Return the JSON document of a file, as `parse_json` does. Raise OSError or ValueError when it cannot be read."""
    content = read_bytes(path, at_most)
    return parse_json(content.decode(json.detect_encoding(content), errors="replace"))


def parse_json(text: str) -> Any:
    """Return a JSON document with None for infinite numbers and without unpaired surrogates. Raise ValueError for invalid JSON."""
    try:
        value = json.loads(text.removeprefix("\ufeff"), parse_constant=lambda _: None, parse_float=parse_float, parse_int=parse_int)
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from error
    return clean_json(value)


def clean_json(value: Any, depth: int = 0) -> Any:
    """Return JSON without unpaired surrogates. Raise ValueError when it is nested too deep."""
    if depth > DEEPEST:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    match value:
        case str():
            return replace_surrogates(value)
        case list():
            return [clean_json(item, depth + 1) for item in value]
        case dict():
            return {replace_surrogates(key): clean_json(item, depth + 1) for key, item in value.items()}
        case _:
            return value


def replace_surrogates(text: str) -> str:
    """Return a text with unpaired surrogates replaced, which file names can contain too."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def parse_float(text: str) -> float | None:
    """Return a number of JSON; None when it is larger than any that can be counted with."""
    value = float(text)
    return value if math.isfinite(value) else None


def parse_int(text: str) -> int | float | None:
    """Return an integer of JSON."""
    return int(text) if len(text) <= DIGITS else parse_float(text)


def to_timestamp(value: object) -> float | None:
    """Return a time in seconds since 1970; None where it is none that a calendar has."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= LATEST else None


def to_json(value: object, *, indent: int | None = None) -> str:
    """Return strictly valid JSON: NaN and infinities become null."""
    return json.dumps(drop_non_finite(value), indent=indent, allow_nan=False, default=str)


def drop_non_finite(value: Any) -> Any:
    """Return a document with None in the places of NaN and the infinities."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case list() | tuple():
            return [drop_non_finite(item) for item in value]
        case dict():
            return {key: drop_non_finite(item) for key, item in value.items()}
        case _:
            return value
