"""Copy a JUnit file as a stream: masked, in UTF-8, well-formed, with long texts shortened, and otherwise unchanged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from lab.errors import NotPossible
from lab.masking.known_values import NOTHING, KnownValues
from lab.masking.mask import mask, mask_object
from reports.excerpt import COPIED, Budget, Window
from reports.junit_events import read_events
from reports.junit_results import FAILED, RERUN, summarize_damages
from reports.xml_pieces import BREAKS_OFF


class JunitCopier:
    """Writes the elements of a JUnit file. A damaged test is written as failed when it contains a failure, else as unknown."""

    def __init__(self, out: BinaryIO, known: KnownValues) -> None:
        self.known = known
        self.budget = Budget(COPIED)
        self.damages: list[str] = []
        self._out = out
        self._open: list[str] = []
        self._roots = 0
        self._failed = False
        self._text = Window()

    @property
    def empty(self) -> bool:
        """Return whether no JUnit element was written so far."""
        return not self._open

    @property
    def torn(self) -> str:
        """Where the file is damaged; "" when it is not."""
        return summarize_damages(self.damages)

    def _write(self, text: str) -> None:
        try:
            self._out.write(text.encode())
        except OSError as error:
            raise NotPossible(f"cannot write: {error.strerror}", where=self._out.name, remedy="free some space there") from error

    def start(self, name: str, attributes: dict[str, str], dropped: int) -> None:
        """Write a start tag. The copy has one root, `testsuites`, which stays open: a file may hold several documents."""
        self._flush()
        if name == "testsuites":
            self._roots += 1
        if not self._open and name in {"testsuites", "testsuite", "testcase"}:
            self._open.append("testsuites")
            root = self._attributes(attributes, dropped) if name == "testsuites" else ""
            self._write(f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites{root}>')
        if not self._open or name == "testsuites":
            return
        if name == "testcase":
            self._failed = False
        self._failed = self._failed or name in FAILED | RERUN
        self._open.append(name)
        self._write(f"<{name}{self._attributes(attributes, dropped)}>")

    def text(self, text: str) -> None:
        """Collect a text until it is complete."""
        if self._open:
            self._text.add(text)

    def end(self, name: str) -> None:
        """Write an end tag."""
        self._flush()
        if name == "testsuites":
            self._roots -= 1
        elif self._open and name == self._open[-1]:
            self._close(len(self._open) - 1)

    def damage(self, why: str, tag: str, attributes: dict[str, str]) -> None:
        """Close the open test and write that it is damaged."""
        self._flush()
        self.damages.append(why)
        self._give_up(why, failed=tag in FAILED | RERUN)
        if tag == "testcase" and self._open:
            self.start("testcase", attributes, 0)
            self._give_up(why)

    def close(self) -> None:
        """Close the elements that are open at the end of the file."""
        self._flush()
        if not self.damages and (self._roots > 0 or len(self._open) > 1):
            self.damages.append(BREAKS_OFF)
        if self.damages:
            self._give_up(self.damages[-1])
        self._close(0)

    def _give_up(self, why: str, *, failed: bool = False) -> None:
        if "testcase" not in self._open:
            return
        self._close(self._open.index("testcase") + 1)
        if failed and not self._failed:
            self._write('<failure message="its text is damaged in the file"></failure>')
        elif not self._failed:
            self._write(f"<skipped message={quoteattr(f'unknown: the file is damaged in it ({why})')}></skipped>")
        self._close(self._open.index("testcase"))

    def _close(self, depth: int) -> None:
        while len(self._open) > depth:
            self._write(f"</{self._open.pop()}>")

    def _flush(self) -> None:
        text, dropped = self._text.text, self._text.dropped
        if text:
            self._text = Window()
            self._write(escape(text if text.isspace() and len(text) < 100 else self.budget.excerpt(mask(text, self.known), dropped)))

    def _attributes(self, attributes: dict[str, str], dropped: int) -> str:
        masked: Iterable[tuple[str, str]] = mask_object(attributes, self.known).items()
        longest = max(attributes, key=lambda key: len(attributes[key]), default="")
        written = [(key, self.budget.excerpt(value, dropped if key == longest else 0)) for key, value in masked]
        return "".join(f" {key}={quoteattr(value)}" for key, value in written)


def copy_junit(source: Path, out: BinaryIO, known: KnownValues = NOTHING) -> JunitCopier:
    """Write a copy of a JUnit file; return the copier with its findings. Raise ValueError when the file has no JUnit element."""
    copier = JunitCopier(out, known)
    read_events(source, copier)
    if copier.empty:
        raise ValueError(copier.damages[0] if copier.damages else "it holds no test and no suite")
    copier.close()
    return copier
