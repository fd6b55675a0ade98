"""Values that are known to be secret, found in a text in whatever form they stand there.

Which values are looked for, and where, is a choice between a secret that leaves and a text that says nothing any more:

- under 4 bytes, by nothing here: `lab.masking.mask` masks them as data of a Secret, and their base64 is too short to tell;
- 4 and 5 bytes (`admin`, `true`): as complete base64 with nothing beside it, never as they are;
- from 6 on: in every form. Up to 11 characters a word only counts as a whole: `hunter2` is not found in `hunter2x`;
- what is ordinary is never looked for as it is (its base64 is): a word of Kubernetes' and Karmada's own texts (`ordinary.txt`), a name that
  the run itself uses, a version, an address, a number, a path, an image, a certificate.

A part of a value counts as well, where it cannot be chance: a text that was cut, wrapped at any column, or quoted line by line.

All forms of all values are one index: six bytes of each, every four, in a table that the text's windows are looked up in with numpy. So the
time does not depend on how many values there are, and memory only on a block of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from lab.masking.encodings import SHORTEST, Form

GRAM = SHORTEST
LOW = np.uint64((1 << (8 * GRAM)) - 1)
SPREAD = np.uint64(0x9E3779B97F4A7C15)
BLOCK = 1 << 20

LINE_END = rb"(?:\r?\n|\\+r\\+n|\\+n|\\\r?\n|&#10;|<br/?>)"
GAP = re.compile(rb"[ \t\"',\\]{0,80}" + LINE_END + rb"+[ \t]{0,80}(?:E {1,80})?(?:[-+>?|] {1,80})?(?:[bru]{0,2}[\"'(]|\\ ?)?")
"""What stands between two parts of a value that is wrapped: an end of line, escaped or not, quotes around it, the margin of a quotation."""

GAP_BACK = re.compile(
    rb"(?:[\"'(][bru]{0,2}| ?\\)?(?: {1,80}[-+>?|])?(?: {1,80}E)?[ \t]{0,80}(?:\n\r?\\?|n\\+(?:r\\+)?|;01#&|>/?rb<)+[ \t\"',\\]{0,80}"
)
"""The same, read from its end."""

ESCAPES = re.compile(rb"\\+")
ELLIPSIS = re.compile(rb"\.\.\.|\xe2\x80\xa6")
ELLIPSIS_BEFORE = re.compile(rb"(?:\.\.\.|\xe2\x80\xa6)\Z")
"""Where a text was cut in its middle, as pytest does: of what is left on both sides six letters on one of them tell."""

WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
WHITE = frozenset(b" \t\r\n")


@dataclass(eq=False)
class KnownValues:
    """The index of all forms of all values. Building one takes about 10 µs a form; an empty one costs nothing to ask."""

    forms: list[Form] = field(default_factory=list)
    names: frozenset[str] = frozenset()
    """Names of the run: no part of a value that is one of them is taken for the value."""

    def __post_init__(self) -> None:
        grams: list[NDArray[np.uint64]] = []
        owners: list[NDArray[np.int64]] = []
        for number, form in enumerate(self.forms):
            size = len(form.data) - GRAM + 1
            if size < 1:
                continue
            stride = 16 if form.nested or len(form.data) > 4096 else 4
            places = np.append(np.arange(0, size - 1, stride), size - 1)
            padded = np.zeros((len(places), 8), np.uint8)
            padded[:, :GRAM] = np.frombuffer(form.data, np.uint8)[places[:, None] + np.arange(GRAM)]
            grams.append(padded.view("<u8").ravel())
            owners.append(places.astype(np.int64) | (number << 32))
        self._grams = np.concatenate(grams) if grams else np.zeros(0, np.uint64)
        order = np.argsort(self._grams, kind="stable")
        self._grams = self._grams[order]
        self._owners = (np.concatenate(owners) if owners else np.zeros(0, np.int64))[order]
        bits = min(24, max(16, len(self._grams).bit_length() + 3))
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, np.bool_)
        self._table[self._hashed(self._grams)] = True

    def __bool__(self) -> bool:
        return bool(len(self._grams))

    def _hashed(self, grams: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return (grams * SPREAD) >> self._shift

    def mask(self, text: str, cover: str) -> str:
        """Return the text with `cover` in place of every known value, or part of one. Lines stay lines."""
        if not self or len(text) < GRAM:
            return text
        data = text.encode("utf-8", "surrogatepass")
        kept: list[bytes] = []
        at = 0
        for start, end in self.spans(data):
            kept += [data[at:start], cover.encode()]
            at = end
        if not kept:
            return text
        return b"".join([*kept, data[at:]]).decode("utf-8", "surrogatepass")

    def touched(self, texts: Sequence[str], *, between: str = "") -> set[int]:
        """Return the indexes of the texts that contain a known value or a part of one that spans texts."""
        if not self:
            return set()
        joiner = between.encode()
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        starts = list(accumulate((len(each) + len(joiner) for each in encoded), initial=0))
        found: set[int] = set()
        for start, end in self.spans(joiner.join(encoded)):
            found.update(range(bisect_right(starts, start) - 1, bisect_left(starts, end)))
        return found

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """Return where known values stand, in order; a value that is wrapped has one span in each line."""
        found: list[tuple[int, int]] = []
        done = 0
        for at, gram in self._hits(data):
            if at < done and any(start <= at and at + GRAM <= end for start, end in found[-64:]):
                continue
            best: list[tuple[int, int]] = []
            first, last = np.searchsorted(self._grams, [gram, gram], side="left")[0], np.searchsorted(self._grams, gram, side="right")
            for owner in self._owners[first : min(int(last), int(first) + 64)].tolist():
                pieces = self._around(data, at, self.forms[owner >> 32], owner & 0xFFFFFFFF)
                if sum(end - start for start, end in pieces) > sum(end - start for start, end in best):
                    best = pieces
            if best:
                found += best
                done = max(done, best[-1][1])
        return merge_spans(extend_to_characters(data, found))

    def _hits(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield (position, window) of every window of the data that is one of the index, in order."""
        padded = data + bytes(16)
        for base in range(0, len(data) - GRAM + 1, BLOCK):
            count = min(BLOCK, len(data) - GRAM + 1 - base)
            positions: list[NDArray[np.int64]] = []
            values: list[NDArray[np.uint64]] = []
            for shift in range(8):
                rows = (count - shift + 7) // 8
                if rows < 1:
                    break
                windows = np.frombuffer(padded, "<u8", count=rows, offset=base + shift) & LOW
                hits = np.flatnonzero(self._table[self._hashed(windows)])
                if len(hits):
                    hit = windows[hits]
                    index = np.minimum(np.searchsorted(self._grams, hit), len(self._grams) - 1)
                    true = self._grams[index] == hit
                    positions.append(hits[true] * 8 + (base + shift))
                    values.append(hit[true])
            if positions:
                at, gram = np.concatenate(positions), np.concatenate(values)
                order = np.argsort(at)
                yield from zip(at[order].tolist(), gram[order].tolist(), strict=True)

    def _around(self, data: bytes, at: int, form: Form, place: int) -> list[tuple[int, int]]:
        """Return the pieces of the form that stand around a window of it; none where they are too few to be more than chance."""
        value = form.data
        if data.startswith(value, at - place) and at >= place:
            pieces, start, end = [(at - place, at - place + len(value))], 0, len(value)
        else:
            right, end = match_onwards(data, at + GRAM, value, place + GRAM, GAP)
            reach = min(at, len(value) * 2 + 200)
            left, back = match_onwards(data[at - reach : at][::-1], 0, value[:place][::-1], 0, GAP_BACK)
            pieces = join_pieces([(at - high, at - low) for low, high in reversed(left)], right)
            start = place - back
        low, high = pieces[0][0], pieces[-1][1]
        if start > 0 and end == len(value) and (cut := ELLIPSIS_BEFORE.search(data[max(0, low - 4) : low])):
            at = low - len(cut.group())
            head = next((size for size in range(min(start, at), 0, -1) if data[at - size : at] == value[:size]), 0)
            return [*([(at - head, at)] if head else []), *pieces]
        if start == 0 and end < len(value) and (cut := ELLIPSIS.match(data, high)):
            at, most = cut.end(), len(value) - end
            tail = next((size for size in range(most, 0, -1) if data[at : at + size] == value[len(value) - size :]), 0)
            return [*pieces, *([(at, at + tail)] if tail else [])]
        return pieces if self._counts(data, form, pieces, start, end) else []

    def _counts(self, data: bytes, form: Form, pieces: list[tuple[int, int]], start: int, end: int) -> bool:
        """Tell whether a part of a form is more than chance."""
        size, low, high = len(form.data), pieces[0][0], pieces[-1][1]
        before, after = data[low - 1 : low], data[high : high + 1]
        if (start, end) == (0, size):
            return not form.bounded or not (starts_in_word(before, form.data[:1]) or starts_in_word(after, form.data[-1:]))
        part = form.data[start:end]
        if form.encoded:
            return len(part) >= (32 if form.nested else 20)  # base64 of "-----BEGIN " is common to keys and certificates
        if len(part) >= 24 and len(part.split()) < 4:
            return True
        if len(part) < 8 or part.decode(errors="replace").strip() in self.names or not (start == 0 or end == size):
            return False
        cut = (start > 0 and not starts_in_word(before, b"a")) or (end < size and not starts_in_word(after, b"a"))
        return cut and is_unusual(part)


def match_onwards(data: bytes, at: int, value: bytes, place: int, gap: re.Pattern[bytes]) -> tuple[list[tuple[int, int]], int]:
    """Return the pieces of the data from `at` on that go on as the value does from `place`, and where in the value they end."""
    pieces: list[tuple[int, int]] = []
    start = at
    while place < len(value):
        if at < len(data) and data[at] == value[place]:
            at, place = at + 1, place + 1
            continue
        escaped = ESCAPES.match(data, at)  # quoted once more than in any form
        if escaped and data[escaped.end() : escaped.end() + 1] == value[place : place + 1]:
            at = escaped.end()
            continue
        between = gap.match(data, at)
        if not between:
            break
        beyond = place
        while beyond < len(value) and value[beyond] in WHITE:
            beyond += 1
        ahead = between.end()
        while ahead > at and not (data[ahead : ahead + 1] == value[beyond : beyond + 1] != b""):
            ahead -= 1  # a quote or a sign that belongs to the value
        if ahead == at or beyond == len(value):
            break
        pieces.append((start, at))
        start, at, place = ahead, ahead, beyond
    pieces.append((start, at))
    return pieces, place


def join_pieces(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the pieces left and right of a window as one list: the window is between the last of the one and the first of the other."""
    middle = (left[-1][0], right[0][1])
    return [piece for piece in (*left[:-1], middle, *right[1:]) if piece[0] < piece[1]]


def starts_in_word(beside: bytes, edge: bytes) -> bool:
    """Return whether two neighbouring bytes belong to one word."""
    return bool(beside) and beside[0] in WORD and edge[0] in WORD


def is_unusual(part: bytes) -> bool:
    """Return whether a part of a value is unusual text: digits among letters, or both cases."""
    text = part.decode(errors="replace")
    kinds = [any(c.isdigit() for c in text), any(c.islower() for c in text), any(c.isupper() for c in text)]
    return (sum(kinds) > 1 and not text.strip().islower() | text.istitle()) or (kinds[0] and kinds[1])


def extend_to_characters(data: bytes, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the spans, none of which ends inside a character."""
    for start, end in spans:
        while start > 0 and data[start] & 0xC0 == 0x80:
            start -= 1  # noqa: PLW2901
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1  # noqa: PLW2901
        yield start, end


def merge_spans(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those that overlap or touch as one."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if kept and start <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
        else:
            kept.append((start, end))
    return kept


NOTHING = KnownValues()
"""No value is known: what stands alone, as a name of a file, is looked at by structure only."""
