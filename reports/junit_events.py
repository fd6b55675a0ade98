"""Stream the elements of a JUnit file to a handler with expat, and continue after damage.

Where the file is not XML, open elements are abandoned, the handler gets the damage, and reading resumes at the next test.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate, XMLParserType

from reports.encoding import decode
from reports.files import open_regular
from reports.xml_pieces import XmlPiece, split_pieces

RESUMES = re.compile(r"<(?:[\w.-]+:)?test(?:case|suites?)\b")
NAMED = re.compile(r"""\s(?P<key>classname|name)\s*=\s*(?P<quote>["'])(?P<value>[^"'<>]{1,300})(?P=quote)""")
DAMAGES_AT_MOST = 1000
"""Damaged places after which the rest of a file is skipped: it is not a JUnit file."""


class JunitHandler(Protocol):
    """**Protocol:** takes the elements of a file in order. `dropped` counts the characters that were cut from a tag's attributes."""

    def start(self, name: str, attributes: dict[str, str], dropped: int, /) -> None: ...

    def text(self, text: str, /) -> None: ...

    def end(self, name: str, /) -> None: ...

    def damage(self, why: str, tag: str, attributes: dict[str, str], /) -> None:
        """Abandon all open elements. `tag` is the damaged one, with its readable attributes; "" when a text is damaged."""


def read_events(path: Path, handler: JunitHandler) -> None:
    """Pass the elements of a file to the handler. Raise ValueError when it cannot be read or is empty."""
    try:
        with open_regular(path) as file:
            if not os.fstat(file.fileno()).st_size:
                raise ValueError("it is empty")
            parse_pieces(split_pieces(decode(file)), handler)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error


def parse_pieces(found: Iterator[XmlPiece], handler: JunitHandler) -> None:
    """Parse pieces one after the other."""
    parser = JunitParser(handler)
    damages, lost = 0, False
    for piece in found:
        if lost and not RESUMES.match(piece.text):
            continue
        lost = False
        why = piece.broken or parser.feed(piece)
        if why:
            handler.damage(f"line {piece.line}: {why}", *describe_damaged_tag(piece))
            damages += 1
            if damages >= DAMAGES_AT_MOST:
                handler.damage(f"after line {piece.line} nothing is read: it is damaged in {damages} places", "", {})
                return
            parser, lost = JunitParser(handler, opened="<testsuites><testsuite>"), True


class JunitParser:
    """expat inside an artificial root, so that text before, between and after documents is accepted."""

    def __init__(self, handler: JunitHandler, opened: str = "<file>") -> None:
        self._expat: XMLParserType = ParserCreate("utf-8")
        self._expat.buffer_text = True
        self._expat.Parse(opened)
        self._handler = handler
        self._dropped = 0
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = lambda name: handler.end(strip_prefix(name))
        self._expat.CharacterDataHandler = handler.text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        plain = {strip_prefix(key): value for key, value in attributes.items() if ":" in key and not key.startswith("xmlns")}
        plain |= {key: value for key, value in attributes.items() if ":" not in key and key != "xmlns"}
        self._handler.start(strip_prefix(name), plain, self._dropped)

    def feed(self, piece: XmlPiece) -> str:
        """Parse a piece. Return its error; "" when it is valid."""
        self._dropped = piece.dropped
        try:
            self._expat.Parse(piece.text)
        except ExpatError as error:
            return ErrorString(error.code)
        return ""


def strip_prefix(name: str) -> str:
    """Return a name without its namespace's prefix."""
    return name.rpartition(":")[2]


def describe_damaged_tag(piece: XmlPiece) -> tuple[str, dict[str, str]]:
    """Return the name of a damaged tag, and its readable `name` and `classname`."""
    if not piece.tag or piece.text.startswith("</"):
        return "", {}
    name = re.match(r"<([\w.:-]+)", piece.text)
    return strip_prefix(name[1]) if name else "", {found["key"]: found["value"] for found in NAMED.finditer(piece.text[:4096])}
