"""Secrets in what pytest reports: values of the lab's Secrets are masked in tracebacks, diffs, captured output, JUnit and Allure files.

The report of a test is masked when it is made, so the terminal, the files and the other processes of the session get the masked report.
Text that plugins write without a report, such as the message of an Allure result, is masked in their files at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.masking.known_values import KnownValues
from lab.masking.mask import mask
from lab.masking.mask_text import MASK
from reports.junit_copy import copy_junit


def mask_report(report: Any, known: KnownValues) -> None:
    """Mask known values in a report of pytest, in place: its error, its sections and its properties. Node ids stay: they are keys."""
    if not known:
        return
    report.longrepr = mask_value(report.longrepr, known)
    report.sections = [(known.mask(name, MASK), known.mask(text, MASK)) for name, text in report.sections]
    if hasattr(report, "user_properties"):
        report.user_properties = mask_value(report.user_properties, known)


def mask_value(value: Any, known: KnownValues) -> Any:
    """Return a text or a list of lines without known values. Mask the attributes of other pytest objects in place."""
    if isinstance(value, str):
        return known.mask(value, MASK)
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        text = "\n".join(value)
        lines = known.mask(text, MASK).split("\n")
        return lines if len(lines) == len(text.split("\n")) == len(value) else [known.mask(line, MASK) for line in value]
    if isinstance(value, list | tuple):
        return type(value)(mask_value(item, known) for item in value)
    if isinstance(value, dict):
        return {mask_value(key, known): mask_value(item, known) for key, item in value.items()}
    if type(value).__module__.startswith("_pytest."):
        for name, item in vars(value).items():
            object.__setattr__(value, name, mask_value(item, known))
    return value


def mask_results(junit: Path | None, allure: Path | None, known: KnownValues) -> list[Path]:
    """Mask known values in result files, and return the files that held any. Delete a file that cannot be masked."""
    found: list[Path] = []
    for path in [*([junit] if junit and junit.is_file() else []), *files_below(allure)]:
        text = path.read_bytes().decode(errors="replace")
        if not known.spans(text.encode()):
            continue
        found.append(path)
        if path.suffix == ".xml":
            mask_junit(path, known)
        else:
            path.write_text(mask(text, known))
    return found


def mask_junit(path: Path, known: KnownValues) -> None:
    """Replace a JUnit file by its masked copy; delete it if it is not JUnit."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        try:
            with made.open("wb") as out:
                copy_junit(path, out, known)
            made.replace(path)
        except ValueError:
            path.unlink()


def files_below(folder: Path | None) -> Iterator[Path]:
    """Yield the files of a directory; none if it does not exist."""
    if folder and folder.is_dir():
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
