"""Long texts of single tests: their beginning and their end are kept, and how much is left out between them is said in its place."""

from __future__ import annotations

from dataclasses import dataclass

from lab.masking.mask import mask

WINDOW = 64 << 10
"""Characters from each end of a text that are looked at for secrets before it is cut: half a key is no key to a mask."""

EACH = 64 << 10
"""Characters of one text that are kept."""

ALL = 8 << 20
"""Characters of all texts of one file that a report holds; the nearer it is, the less of each is kept."""

COPIED = 32 << 20
"""The same, of a file that is copied."""

LEAST = 256


class Window:
    """The beginning and the end of a text that comes in pieces."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: list[str] = []
        self._room = WINDOW
        self._in_tail = 0
        self.dropped = 0
        """Characters that are neither in its beginning nor in its end."""

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
        """All that is held of it."""
        if self._in_tail > WINDOW:
            self._shorten()
        return "".join([*self._head, *self._tail])


@dataclass
class Budget:
    """How much of the texts of one file may be kept. `cut` counts those of which something is left out."""

    left: int = ALL
    cut: int = 0
    characters: int = 0
    """How many characters are left out."""

    def excerpt(self, text: str, dropped: int = 0) -> str:
        """Return a text that is cut where it is long, and masked before that; `dropped` characters of its middle are left out already."""
        limit = max(LEAST, min(EACH, self.left // 64))
        if len(text) > limit or dropped:
            text, lost = shorten_text(mask(text), limit, dropped)
            self.cut += 1
            self.characters += lost
        self.left -= len(text)
        return text

    @property
    def told(self) -> str:
        """What is to be said of it; "" where all texts are whole."""
        if not self.cut:
            return ""
        return f"the middle of {self.cut} long text{'s' * (self.cut > 1)} of single tests is left out ({self.characters:,} characters)"


def shorten_text(text: str, limit: int, dropped: int = 0) -> tuple[str, int]:
    """Return the ends of a text, from line to line where it has lines, and how many characters are left out."""
    half = min(limit, len(text)) // 2
    head, tail = text[:half], text[len(text) - half :]
    head = head[: head.rfind("\n", half // 2) + 1] or head
    after = tail.find("\n", 0, half // 2) + 1
    tail = tail[after:] if after else tail.partition(" ")[2] if " " in tail[: half // 2] else tail  # a word is not cut in two
    lost = len(text) - len(head) - len(tail) + dropped
    return f"{head.rstrip(chr(10))}\n[… {lost:,} characters are left out …]\n{tail}", lost
