"""What was not checked, and why: every file of a repository is either checked or listed here by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lab.steps import StepOutcome


@dataclass(frozen=True)
class Why:
    """Why a file was not checked. `remedy` makes a check possible; without a remedy, no check is possible."""

    text: str
    remedy: str = ""


class Reason(Enum):
    """The reasons that lie in a file itself. Missing tools and charts that do not render have their own `Why`."""

    BINARY = Why("binary content")
    TOO_LARGE = Why("larger than 5 MiB")
    TOO_DEEP = Why("nested more than 500 levels deep")
    ENCRYPTED = Why("encrypted")
    LFS_POINTER = Why("a Git LFS pointer", "git lfs pull")
    ENCODING = Why("unknown encoding: neither UTF-8 nor marked as UTF-16 or UTF-32", "save it as UTF-8")
    UNREADABLE = Why("not readable", "make it readable for this user")
    SPECIAL = Why("not a regular file")
    LINK_INSIDE = Why("symbolic link; its target is in this list or checked")
    LINK_OUTSIDE = Why("symbolic link out of the repository")
    LINK_BROKEN = Why("symbolic link to nothing")
    SUBMODULE = Why("submodule")
    VENDORED = Why("vendored or generated")
    TEST_DATA = Why("test data")
    GIT_IGNORED = Why("ignored by git")
    TOOL_IGNORED = Why("excluded by the repository's own configuration of this tool")
    TEMPLATED = Why("a template: not YAML or JSON until it is rendered")
    COMMENTED_JSON = Why("JSON with comments")
    SHELL_DIALECT = Why("a shell that shellcheck does not know")
    PYTHON_2 = Why("Python 2")
    NO_SHEBANG = Why("executable without a shebang")
    NO_CHECKER = Why("no checker for this kind")


@dataclass(frozen=True)
class Unchecked:
    """A file, or a folder of `files` files, that `check` did not look at (no check at all when `check` is empty)."""

    name: str
    kind: str
    why: Why
    check: str = ""
    files: int = 1

    @property
    def fixable(self) -> bool:
        """Whether the check can be made possible. Such a file keeps the result from being green."""
        return bool(self.why.remedy)


@dataclass(frozen=True)
class Checked:
    """The outcome of one check. `detail` is the tool's output, or why there is none; `files` counts what it checked."""

    name: str
    outcome: StepOutcome
    detail: str = ""
    files: int = 0
    unchecked: tuple[Unchecked, ...] = ()


@dataclass(frozen=True)
class Lint:
    """Everything known about one repository: the checks, the kind of each checked file by name, and the files not checked."""

    checks: Sequence[Checked]
    checked: Mapping[str, str] = field(default_factory=dict)
    unchecked: Sequence[Unchecked] = ()
    listed: Sequence[Unchecked] = field(init=False)

    def __post_init__(self) -> None:
        every = (*self.unchecked, *(each for check in self.checks for each in check.unchecked))
        object.__setattr__(self, "listed", sorted(every, key=lambda each: (each.kind, each.name, each.check)))

    def summarize(self) -> dict[str, dict[str, int]]:
        """Return per kind how many files were checked, how many of those not by every check that they need, and how many by none."""
        counts = {"checked": Counter(self.checked.values()), "partly_checked": Counter[str](), "not_checked": Counter[str]()}
        for each in {each.name: each for each in self.listed}.values():
            if each.name in self.checked:
                counts["partly_checked"][self.checked[each.name]] += 1
            else:
                counts["not_checked"][each.kind] += each.files
        kinds = sorted(set().union(*counts.values()))
        return {kind: {key: numbers[kind] for key, numbers in counts.items()} for kind in kinds}

    def exit_code(self, *, strict: bool) -> int:
        """Return 1 for a failed check, 3 when something could not be checked that can be, or (strict) any file of a checked kind."""
        outcomes = {each.outcome for each in self.checks}
        if StepOutcome.FAIL in outcomes:
            return 1
        incomplete = StepOutcome.UNKNOWN in outcomes or any(each.fixable for each in self.listed)
        return 3 if incomplete or (strict and any(find_missed(self.listed))) else 0

    def document(self, *, strict: bool) -> dict[str, Any]:
        """Return the whole result as JSON data."""
        return {
            "exit_code": self.exit_code(strict=strict),
            "checks": [
                {"name": each.name, "outcome": each.outcome.value, "files": each.files, "detail": each.detail} for each in self.checks
            ],
            "kinds": self.summarize(),
            "not_checked": [
                {
                    "path": show_name(each.name),
                    "kind": each.kind,
                    "reason": each.why.text,
                    "remedy": each.why.remedy,
                    "check": each.check,
                    "files": each.files,
                }
                for each in self.listed
            ],
        }


def find_missed(listed: Iterable[Unchecked]) -> Iterable[Unchecked]:
    """Yield the files of checked kinds: not a vendored folder, a picture or source code of another language."""
    return (each for each in listed if each.kind not in {"other", "folder", "link"} and each.why is not Reason.NO_CHECKER.value)


def show_name(name: str) -> str:
    """Return a file's name on one line, quoted as git does when it cannot be printed as it is."""
    if name.isprintable():
        return name
    return '"' + name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").encode("unicode_escape").decode() + '"'
