"""Shorten long texts of tests: keep the beginning and the end, and write between them how much is omitted."""

from __future__ import annotations

from dataclasses import dataclass

from lab.masking.mask import mask

WINDOW = 64 << 10
"""Characters from each end of a text that are masked before it is cut: a mask cannot recognise half a key."""

EACH = 64 << 10
"""Characters kept of each text."""

ALL = 8 << 20
"""Characters kept of all texts of one file; the less is left, the less of each text is kept."""

COPIED = 32 << 20
"""The same limit for a copied file."""

LEAST = 256


class Window:
    """The beginning and the end of a text that arrives in pieces."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: list[str] = []
        self._room = WINDOW
        self._in_tail = 0
        self.dropped = 0
        """Characters between beginning and end that were dropped."""

    def add(self, text: str) -> None:
        """Add a piece."""
        if self._room:
            self._head.append(text[: self._room])
            text, self._room = text[self._room :], max(0, self._room - len(text))
        if text:
            self._tail.append(text)
            self._in_tail += len(text)
            if self._in_tail > 2 * WINDOW:
                self._shorten()

    def _shorten(self) -> None:
        tail = "".join(self._tail)
        self.dropped += max(0, len(tail) - WINDOW)
        self._tail, self._in_tail = [tail[-WINDOW:]], min(len(tail), WINDOW)

    @property
    def text(self) -> str:
        """The kept text."""
        if self._in_tail > WINDOW:
            self._shorten()
        return "".join([*self._head, *self._tail])


@dataclass
class Budget:
    """How much of the texts of one file may be kept. `cut` counts the shortened texts."""

    left: int = ALL
    cut: int = 0
    characters: int = 0
    """The number of omitted characters."""

    def excerpt(self, text: str, dropped: int = 0) -> str:
        """Return a text, masked and shortened when it is long. `dropped` characters of its middle were dropped before."""
        limit = max(LEAST, min(EACH, self.left // 64))
        if len(text) > limit or dropped:
            text, lost = shorten_text(mask(text), limit, dropped)
            self.cut += 1
            self.characters += lost
        self.left -= len(text)
        return text

    @property
    def summary(self) -> str:
        """A sentence about the shortened texts; "" without any."""
        if not self.cut:
            return ""
        return f"the middle of {self.cut} long text{'s' * (self.cut > 1)} of single tests is omitted ({self.characters:,} characters)"


def shorten_text(text: str, limit: int, dropped: int = 0) -> tuple[str, int]:
    """Return the ends of a text, cut at line ends where possible, and the number of omitted characters."""
    half = min(limit, len(text)) // 2
    head, tail = text[:half], text[len(text) - half :]
    head = head[: head.rfind("\n", half // 2) + 1] or head
    after = tail.find("\n", 0, half // 2) + 1
    tail = tail[after:] if after else tail.partition(" ")[2] if " " in tail[: half // 2] else tail  # cut at a space
    lost = len(text) - len(head) - len(tail) + dropped
    return f"{head.rstrip(chr(10))}\n[… {lost:,} characters omitted …]\n{tail}", lost
