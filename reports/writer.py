"""The masking writer: everything that reports write, and everything they copy, goes through it.

What is text is masked by `lab.mask` and written; what is not text (an archive, a core, a database) could hold anything and is left out,
with that as the reason. Markup hides quotes in entities and words between tags, where no rule for secrets finds them: it is looked at as a
reader would see it, and left out when that holds a secret.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from lab.mask import mask, mask_object
from lab.run import write_private

MARKUP = frozenset({".html", ".htm", ".xml", ".svg"})
TAG = re.compile(r"<[^<>]*>")
LARGEST = 8 << 20
"""Bytes of one file; of a larger one its end is kept."""

TOTAL = 96 << 20
"""Bytes of one folder."""


@dataclass
class Writer:
    """Writes below one folder. `missing` says what should be here and is not; `left_out` what was not wanted: no text, too much of it."""

    folder: Path
    largest: int = LARGEST
    total: int = TOTAL
    written: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, text: str) -> bool:
        """Write a text, masked; tell whether it is there. JSON stays JSON; markup that holds a secret is left out."""
        name = mask(name)
        if Path(name).suffix in MARKUP and any(mask(read) != read for read in readings(text)):
            return self._lacks(name, "it holds a secret, and could not be masked without breaking it")
        return self._write(name, mask(text))

    def document(self, name: str, value: object) -> bool:
        """Write a JSON document, masked."""
        return self._write(name, json.dumps(mask_object(value), indent=1, default=str) + "\n")

    def xml(self, name: str, text: str) -> bool:
        """Write XML with each of its texts masked as a reader sees it; what is not XML to its end is kept as text."""
        try:
            root = ET.fromstring(text)  # noqa: S314 (of our own jobs; expat refuses entity bombs)
        except ET.ParseError as error:
            self.missing[name] = f"torn, kept as text: {error}"
            return self._write(f"{mask(name)}.txt", mask(html.unescape(text)))
        for element in root.iter():
            element.text, element.tail = element.text and mask(element.text), element.tail and mask(element.tail)
            for key, value in mask_object(dict(element.attrib)).items():
                element.set(key, value)
        return self._write(name, '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode"))

    def file(self, source: Path, name: str) -> bool:
        """Copy a file, masked; tell whether it is there. What is not text, not readable or not there is left out."""
        try:
            size = source.stat().st_size
            with source.open("rb") as file:
                file.seek(max(0, size - self.largest))
                content = file.read(self.largest)
            text = content.decode() if size <= self.largest else content.decode(errors="ignore").partition("\n")[2]
        except OSError as error:
            return self._lacks(name, error.strerror or str(error))
        except UnicodeDecodeError:
            return self._leaves(name, "not text")
        if "\x00" in text:
            return self._leaves(name, "not text")
        if size > self.largest:
            self.left_out[mask(name)] = f"the first {size - len(text.encode())} of {size} bytes are left out"
        return self.xml(name, text) if name.endswith("junit.xml") else self.text(name, text)

    def tree(self, source: Path, name: str) -> int:
        """Copy the files below a folder, links left out; return how many."""
        count = 0
        for path in sorted(source.rglob("*")):
            if path.is_file() and not path.is_symlink():
                count += self.file(path, f"{name}/{path.relative_to(source)}")
        return count

    def _leaves(self, name: str, why: str) -> bool:
        self.left_out[mask(name)] = why
        return False

    def _lacks(self, name: str, why: str) -> bool:
        self.missing[mask(name)] = why
        return False

    def _write(self, name: str, text: str) -> bool:
        content = text.encode(errors="replace")
        if self.written + len(content) > self.total:
            return self._lacks(name, f"left out: the folder is full ({self.total} bytes)")
        self.written += len(content)
        write_private(self.folder / name, content, mode=0o644)
        return True


def readings(markup: str) -> tuple[str, ...]:
    """Return what markup may read as: with its tags, and with nothing or the end of a line in their places."""
    return tuple(html.unescape(text) for text in (markup, TAG.sub("", markup), TAG.sub("\n", markup)))
