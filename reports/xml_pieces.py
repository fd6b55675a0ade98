"""Split real-world XML into pieces that a strict parser accepts, as a stream of any size.

expat and libxml2 stop at the first character that XML 1.0 forbids, at a bare `&` and at a `<` in an attribute, and hold a whole tag in
memory. This module repairs all of that first, shortens long attributes, and drops comments, instructions and document types: without
declarations no entity can be expanded.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reports.excerpt import Window

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ESCAPE = re.compile(r"(?:\x1b|&\#0*27;|&\#[xX]0*1[bB];|\#x1B)\[[0-9;?]{0,20}[A-Za-z]")
"""A terminal colour sequence: with a raw escape character, a reference, or pytest's notation."""

AMPERSAND = re.compile(r"&(?:\#(?P<number>\d{1,9}|[xX][0-9A-Fa-f]{1,8});|(?P<name>[A-Za-z][A-Za-z0-9]{0,31});)?")
OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})
MARGIN = 48
"""Characters held back at the end of a piece: they may begin a tag or a reference."""

TAG_AT_MOST = 2 << 20
"""Characters of one tag; attributes beyond that are dropped."""

OPENED = re.compile("<")
IN_TAG = re.compile("[\"'<>]")
VALUE_END = {quote: re.compile(rf"{quote}|</?(?:[\w.-]{{1,20}}:)?test(?:case|suites?)\b") for quote in "\"'"}
TAG = re.compile(r"/?[^\W\d]")
CDATA = "![CDATA["
PLAIN_TAG = re.compile(r"""/?[^\W\d][\w:.-]*(?:\s+[\w:.-]+="[^"<&#\x00-\x1f\ud800-\udfff\ufffe\uffff]*")*\s*/?>""")
"""A tag that needs no repair: nearly all tags."""

PLAIN_AT_MOST = 1024
ENDS = {"!--": re.compile("-->"), CDATA: re.compile("]]>"), "?": re.compile(r"\?>"), "!": re.compile(r"[\[>]")}
SUBSET_END = re.compile(r"\]\s*>")
BREAKS_OFF = "it breaks off"


def clean_xml_text(text: str) -> str:
    """Return a text without characters that XML 1.0 forbids and without terminal colours."""
    return FORBIDDEN.sub("", ESCAPE.sub("", text))


@dataclass(frozen=True)
class XmlPiece:
    """A tag or a part of a text for a parser. `broken` says why it is not valid; `dropped` counts characters cut from its attributes."""

    text: str
    line: int
    tag: bool = False
    broken: str = ""
    dropped: int = 0


class TextScanner:
    """Reads a text from front to back and holds little of it."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
        self._held = ""
        self._at = 0
        self.line = 1
        self.found = ""
        """The text that `until` matched; "" at the end."""

    def _fill(self) -> bool:
        more = next(self._texts, None)
        if more is None:
            return False
        self._held, self._at = self._held[self._at :] + more, 0
        return True

    def _move(self, to: int) -> str:
        passed = self._held[self._at : to]
        self.line += passed.count("\n")
        self._at = to
        return passed

    def peek(self, length: int) -> str:
        """Return the next characters without consuming them."""
        while len(self._held) - self._at < length and self._fill():
            pass
        return self._held[self._at : self._at + length]

    def skip(self, length: int) -> None:
        """Consume characters that were peeked at."""
        self._move(self._at + length)

    def back(self, length: int) -> None:
        """Go back over characters that `until` just matched."""
        self._at -= length

    def until(self, end: re.Pattern[str]) -> Iterator[str]:
        """Consume the text up to and including the pattern; yield the text before it in pieces, without splitting a reference."""
        while True:
            if found := end.search(self._held, self._at):
                before = self._move(found.start())
                self._move(found.end())
                self.found = found.group()
                yield before
                return
            stop = len(self._held) - MARGIN
            reference = self._held.rfind("&", max(self._at, stop - MARGIN), max(stop, 0))
            stop = reference if reference >= 0 else stop
            if stop > self._at:
                yield self._move(stop)
            if not self._fill():
                self.found = ""
                yield self._move(len(self._held))
                return


def split_pieces(texts: Iterable[str]) -> Iterator[XmlPiece]:
    """Yield a text as pieces of XML in order; a truncated tag, comment or section as a broken piece."""
    scanner = TextScanner(texts)
    while True:
        for text in scanner.until(OPENED):
            if text:
                yield XmlPiece(repair_text(text).replace("]]>", "]]&gt;"), scanner.line)
        if not scanner.found:
            return
        opening = next((each for each in ENDS if scanner.peek(len(each)) == each), "")
        if plain := PLAIN_TAG.match(scanner.peek(PLAIN_AT_MOST)):
            line = scanner.line
            scanner.skip(plain.end())
            yield XmlPiece("<" + plain.group(), line, tag=True)
        elif TAG.match(scanner.peek(2)):
            yield read_tag(scanner)
        elif opening:
            scanner.skip(len(opening))
            yield from read_section(scanner, opening)
        else:
            yield XmlPiece("&lt;", scanner.line)


def read_section(scanner: TextScanner, opening: str) -> Iterator[XmlPiece]:
    """Skip a comment, an instruction or a document type; yield the text of a CDATA section."""
    for text in scanner.until(ENDS[opening]):
        if opening == CDATA and text:
            yield XmlPiece(html.escape(clean_xml_text(text), quote=False), scanner.line)
    if opening == "!" and scanner.found == "[":
        for _ in scanner.until(SUBSET_END):
            pass
    if not scanner.found:
        yield XmlPiece("", scanner.line, broken=BREAKS_OFF)


def read_tag(scanner: TextScanner) -> XmlPiece:
    """Return the tag that begins here; a broken piece when it has no `>`."""
    line, kept, size, dropped = scanner.line, ["<"], 0, 0
    while True:
        window = Window()
        for text in scanner.until(IN_TAG):
            window.add(text)
        kept.append(clean_xml_text(window.text))
        if scanner.found == ">":
            return XmlPiece("".join([*kept, ">"]), line, tag=True, dropped=dropped)
        if scanner.found not in VALUE_END:
            scanner.back(len(scanner.found))
            return XmlPiece("".join(kept), line, tag=True, broken="a tag is not closed" if scanner.found else BREAKS_OFF)
        quote, window = scanner.found, Window()
        for text in scanner.until(VALUE_END[quote]):
            window.add(text)
        if scanner.found != quote:
            scanner.back(len(scanner.found))
            return XmlPiece(
                "".join([*kept, quote, window.text]),
                line,
                tag=True,
                broken="a value is not closed" if scanner.found else BREAKS_OFF,
            )
        value = repair_text(window.text).replace("<", "&lt;")
        size += len(value)
        if size > TAG_AT_MOST:
            kept.pop()
            dropped += len(value)
            continue
        dropped += window.dropped
        kept.append(f"{quote}{value}{quote}")


def repair_text(text: str) -> str:
    """Return a text with only valid references and without forbidden characters."""
    text = clean_xml_text(text)
    return AMPERSAND.sub(repair_reference, text) if "&" in text else text


def repair_reference(found: re.Match[str]) -> str:
    """Return a valid XML reference: an allowed character number or one of XML's names; escape anything else as text."""
    number, name = found["number"], found["name"]
    if number:
        code = int(number[1:], 16) if number[0] in "xX" else int(number)
        return "" if code > 0x10FFFF or FORBIDDEN.match(chr(code)) else found.group()
    if name and name not in OWN:
        known = html.unescape(found.group())
        return html.escape(known) if known != found.group() else "&amp;" + found.group()[1:]
    return found.group() if name else "&amp;" + found.group()[1:]
