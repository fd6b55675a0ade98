"""A file of a repository, and the kind that it is found to be."""

from __future__ import annotations

from pathlib import Path

from scenarios.ci.lint.kinds import LintSource, Skipped, classify
from scenarios.tests.ci.lint.lint_fakes import write


def found(root: Path, name: str, content: str | bytes, *, executable: bool | None = None) -> LintSource | Skipped:
    write(root, {name: content})
    if executable is not None:
        (root / name).chmod(0o755 if executable else 0o644)
    return classify(root, name, [])
