"""The masking writer: everything that reports write or copy goes through it.

Text is masked by `lab.masking.mask`. Other content (an archive, a core dump) could hold secrets and is omitted. Markup
hides quotes in entities and text between tags, where no masking rule matches: it is also checked as a reader would see it, and omitted when
that contains a secret.
"""

from __future__ import annotations

import html
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab.masking.known_values import NOTHING, KnownValues
from lab.masking.mask import mask, mask_object
from lab.run import write_private
from reports.encoding import decode
from reports.files import open_regular, to_json
from reports.junit_copy import copy_junit

MARKUP = frozenset({".html", ".htm", ".xml", ".svg"})
TAG = re.compile(r"<[^<>]*>")
NO_TEXT = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f]")
"""Control characters that text does not contain, except ESC and cursor movements: a file with one is binary."""

LARGEST = 8 << 20
"""Bytes of one file; the end of a larger one is kept."""

TOTAL = 96 << 20
"""Bytes of one folder."""


@dataclass
class MaskingWriter:
    """Writes below one folder. `missing` files could not be written, `left_out` were omitted, `torn` are damaged; values are reasons."""

    folder: Path
    known: KnownValues = NOTHING
    """Secret values that are masked wherever they occur."""

    largest: int = LARGEST
    total: int = TOTAL
    written: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    torn: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, text: str) -> bool:
        """Write a text, masked; return whether it was written. JSON stays valid; markup that contains a secret is omitted."""
        name = mask(name, self.known)
        if Path(name).suffix in MARKUP and any(mask(read, self.known) != read for read in list_readings(text)):
            return self._lacks(name, "it contains a secret that cannot be masked without breaking the markup")
        return self._write(name, mask(text, self.known))

    def document(self, name: str, value: object) -> bool:
        """Write a JSON document, masked."""
        return self._write(name, to_json(mask_object(value, self.known), indent=1) + "\n")

    def junit(self, source: Path, name: str) -> bool:
        """Copy a JUnit file of any encoding, size and damage. Of a file without JUnit elements keep the end as text.

        Its size does not count towards the limit of the folder: results have priority.
        """
        name = mask(name, self.known)
        made = self.folder / name
        made.parent.mkdir(parents=True, exist_ok=True)
        try:
            with made.open("wb") as out:
                copied = copy_junit(source, out, self.known)
        except ValueError as error:
            made.unlink(missing_ok=True)
            kept = self.file(source, f"{name}.txt", html.unescape)
            self.missing.pop(f"{name}.txt", None)
            return self._lacks(name, f"{error}; it is kept as text" if kept else str(error))
        made.chmod(0o644)
        if copied.torn:
            self.torn[name] = copied.torn
        if copied.budget.summary:
            self.left_out[name] = copied.budget.summary
        return True

    def file(self, source: Path, name: str, reading: Callable[[str], str] | None = None) -> bool:
        """Copy a file, masked; return whether it was written. Omit a file that is not text, not readable or missing.

        `reading` converts the text before it is written.
        """
        try:
            with open_regular(source) as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - self.largest))
                content = file.read(self.largest)
        except OSError as error:
            return self._lacks(name, error.strerror or str(error))
        text = read_text(content, whole=size <= self.largest)
        if text is None:
            return self._leaves(name, "not text")
        if size > self.largest:
            self.left_out[mask(name, self.known)] = f"the first {size - len(text.encode())} of {size} bytes are omitted"
        return self._write(mask(name, self.known), mask(reading(text), self.known)) if reading else self.text(name, text)

    def tree(self, source: Path, name: str) -> int:
        """Copy the files below a folder, without links; return how many."""
        count = 0
        for path in sorted(source.rglob("*")):
            if path.is_file() and not path.is_symlink():
                copy = self.junit if path.name == "junit.xml" else self.file
                count += copy(path, f"{name}/{path.relative_to(source)}")
        return count

    def _leaves(self, name: str, why: str) -> bool:
        self.left_out[mask(name, self.known)] = why
        return False

    def _lacks(self, name: str, why: str) -> bool:
        self.missing[mask(name, self.known)] = why
        return False

    def _write(self, name: str, text: str) -> bool:
        content = text.encode(errors="replace")
        if self.written + len(content) > self.total:
            return self._lacks(name, f"omitted: the folder reached its limit of {self.total} bytes")
        self.written += len(content)
        write_private(self.folder / name, content, mode=0o644)
        return True


def read_text(content: bytes, *, whole: bool) -> str | None:
    """Return the text of a file of any encoding; None when it is not text. Drop the first line of a part: it is incomplete."""
    text = "".join(decode(io.BytesIO(content)))
    if NO_TEXT.search(text):
        return None
    return text if whole else text.partition("\n")[2]


def list_readings(markup: str) -> tuple[str, ...]:
    """Return the possible readings of markup: with its tags, without them, and with line ends in their places."""
    return tuple(html.unescape(text) for text in (markup, TAG.sub("", markup), TAG.sub("\n", markup)))
