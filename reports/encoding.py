"""Decode text that may declare the wrong encoding: XML of any tool, logs of any program.

A byte-order mark decides, then zero bytes (UTF-16 and UTF-32 without a mark), then whether all of it is UTF-8, then what an XML
declaration names. No byte is an error: an invalid one is decoded as windows-1252.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 64 << 10
HEAD = 1024
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as that of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ZEROS = (
    (re.compile(rb"[^\0]\0\0\0", re.DOTALL), "utf-32-le"),
    (re.compile(rb"\0\0\0[^\0]", re.DOTALL), "utf-32-be"),
    (re.compile(rb"[^\0]\0[^\0]\0", re.DOTALL), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]", re.DOTALL), "utf-16-be"),
)
DECLARED = re.compile(rb"""\A\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
LATIN = frozenset({"iso8859-1", "ascii"})
"""Many tools declare these and write windows-1252; web browsers decode them as windows-1252 too."""

SEVEN_BIT = ("iso2022", "hz")
"""Encodings that use only ASCII bytes, so that their text looks like UTF-8."""

NO_CHARSETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"})
SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def decode(file: BinaryIO) -> Iterator[str]:
    """Yield the text of a file in pieces, without its byte-order mark. Read the file twice from its beginning."""
    encoding = detect_encoding(file)
    decoder = codecs.getincrementaldecoder(encoding)(errors="windows-1252")
    file.seek(0)
    first = True
    while chunk := file.read(CHUNK):
        text = decoder.decode(chunk)
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        yield text
    yield decoder.decode(b"", final=True)


def detect_encoding(file: BinaryIO) -> str:
    """Return the encoding of a file: by its content, then by its declaration."""
    file.seek(0)
    head = file.read(HEAD)
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    for zeros, encoding in ZEROS:
        if zeros.match(head):
            return encoding
    declared = get_declared_encoding(head)
    if declared.startswith(SEVEN_BIT) or not is_utf8(file):
        return declared or "utf-8"
    return "utf-8"


def get_declared_encoding(head: bytes) -> str:
    """Return the encoding of an XML declaration; "" without one, or when the declaration cannot be in that encoding."""
    found = DECLARED.match(head)
    if not found:
        return ""
    try:
        name = codecs.lookup(found[1].decode()).name
        if name in NO_CHARSETS or found[0].decode(name) != found[0].decode("ascii"):
            return ""
    except (LookupError, ValueError):
        return ""
    return "cp1252" if name in LATIN else name


def is_utf8(file: BinaryIO) -> bool:
    """Return whether a file is valid UTF-8, ignoring a truncated character at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def read_odd_bytes(error: UnicodeError) -> tuple[str, int]:
    """Decode invalid bytes as windows-1252 and return where to continue. A surrogate in UTF-8 becomes one replacement character."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    if SURROGATE.match(error.object, error.start):
        return "\ufffd", error.start + 3
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error("windows-1252", read_odd_bytes)
