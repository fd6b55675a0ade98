"""Decide what a file is, by its name, its shebang and its content, and whether it can be checked at all."""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from identify import identify

from scenarios.ci.lint.coverage import Reason, Why
from scenarios.ci.lint.files import read_bytes, unreadable_reason

LARGEST = 5 * 2**20
"""Bytes. yamllint needs a minute for five MiB."""
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCRYPTED = (b"$ANSIBLE_VAULT;", b"\0GITCRYPT\0", b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED", b"-----BEGIN PGP MESSAGE")
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "ksh88", "ksh93", "bats"})
OTHER_SHELLS = frozenset({"zsh", "fish", "csh", "tcsh", "mksh", "pdksh", "oksh", "elvish", "nu", "rc", "xonsh", "yash"})
PYTHON = re.compile(r"(python|pypy)(?P<major>\d?)(\.\d+)*$|uv$")
SUFFIXES = {
    ".sh": "shell", ".bash": "shell", ".bats": "shell", ".ksh": "shell", ".dash": "shell",
    ".yml": "yaml", ".yaml": "yaml", ".json": "json", ".py": "python",
}  # fmt: skip
TEMPLATE_SUFFIXES = frozenset({".j2", ".jinja", ".jinja2", ".tpl", ".tmpl", ".gotmpl", ".erb", ".mustache"})


@dataclass(frozen=True)
class LintSource:
    """A file that can be checked. `shell_option` names the dialect when neither shebang nor name tells shellcheck."""

    name: str
    kind: str
    text: str = ""
    shell_option: str = ""


@dataclass(frozen=True)
class Skipped:
    """A file that cannot be checked."""

    kind: str
    why: Why


def classify(root: Path, name: str, charts: Sequence[str]) -> LintSource | Skipped:
    """Return what a file is. `charts` are the folders that hold a Chart.yaml."""
    if is_chart_template(name, charts):
        return LintSource(name, "chart template")
    kind = kind_by_name(name)
    try:
        large = (root / name).lstat().st_size > LARGEST
        data = b"" if large else read_bytes(root, name)
        executable = os.access(root / name, os.X_OK)
    except OSError as error:
        return Skipped(kind or "other", unreadable_reason(error))
    text = decode(data)
    kind = kind or kind_by_shebang(data)
    if reason := Reason.TOO_LARGE if large else reject(kind, data, text):
        return Skipped(kind or "other", reason.value)
    assert text is not None
    if Path(name).suffix in TEMPLATE_SUFFIXES:
        inner = kind_by_name(str(PurePosixPath(name).with_suffix("")))
        return Skipped(inner, Reason.TEMPLATED.value) if inner else Skipped("template", Reason.NO_CHECKER.value)
    return judge_content(name, kind_by_name(name), data, text, executable=executable)


def reject(kind: str, data: bytes, text: str | None) -> Reason | None:
    """Return why content of any kind cannot be checked. Only a file of a checked kind is expected to be text."""
    if data.startswith(ENCRYPTED):
        return Reason.ENCRYPTED
    if data.startswith(b"version https://git-lfs.github.com/"):
        return Reason.LFS_POINTER
    if text is None:
        return Reason.ENCODING if kind and identify.is_text(io.BytesIO(data)) else Reason.BINARY
    return None


def judge_content(name: str, kind: str, data: bytes, text: str, *, executable: bool) -> LintSource | Skipped:
    """Return what a readable file is: its shebang counts more than its name."""
    command = read_shebang(data)
    program = command[0].rpartition("/")[2] if command else ""
    if program == "busybox" and len(command) > 1:
        program = command[1]
    suffix = Path(name).suffix
    found = PYTHON.match(program)
    if program in OTHER_SHELLS or suffix in {".zsh", ".fish", ".csh"}:
        result: LintSource | Skipped = Skipped("shell", Reason.SHELL_DIALECT.value)
    elif program in SHELLS:
        result = LintSource(name, "shell", text, "" if is_understood(data) else "bash" if program == "bats" else program)
    elif found:
        result = Skipped("python", Reason.PYTHON_2.value) if found["major"] == "2" else LintSource(name, "python", text)
    elif kind == "shell" and not program:  # a library that others source has no shebang
        sourced = not executable and suffix not in {".bash", ".bats", ".ksh", ".dash"} and "shellcheck shell=" not in text
        result = LintSource(name, kind, text, "bash" if sourced else "")
    elif kind and kind != "shell":
        result = LintSource(name, kind, text)
    elif program == "ansible-playbook":
        result = LintSource(name, "yaml", text)
    elif executable and not program and not suffix:
        result = Skipped("other", Reason.NO_SHEBANG.value)
    else:
        result = Skipped(name_kind(name, program), Reason.NO_CHECKER.value)
    return result


def read_shebang(data: bytes) -> tuple[str, ...]:
    """Return the command of a shebang without `env`, its options and its variables; nothing when there is none."""
    first = data.removeprefix(codecs.BOM_UTF8).split(b"\n", 1)[0].rstrip()
    command = [*identify.parse_shebang(io.BytesIO(first))]
    if not command and re.match(rb"#!\s*\S", first):  # identify does not read these
        command = first[2:].decode("utf-8", "replace").split()
    if command and command[0].rpartition("/")[2] == "env":
        del command[0]
    while command and (command[0].startswith("-") or "=" in command[0]):
        option = command.pop(0)
        if option in {"-u", "-C", "--unset", "--chdir"} and command:
            del command[0]
        elif option.startswith(("-S", "--split-string=")) and (rest := option.removeprefix("--split-string=").removeprefix("-S")):
            command.insert(0, rest)
    return tuple(command)


def is_understood(data: bytes) -> bool:
    """Return whether shellcheck can read the dialect from a shebang: it cannot when `env` has options other than -S."""
    first = data.split(b"\n", 1)[0].decode("utf-8", "replace").split()
    return not (len(first) > 1 and first[0].endswith("/env") and first[1] != "-S" and (first[1].startswith("-") or "=" in first[1]))


def decode(data: bytes) -> str | None:
    """Return text of UTF-8, or of UTF-16 and UTF-32 with a byte-order mark; None for anything else."""
    encoding = next((name for mark, name in ENCODINGS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def kind_by_name(name: str) -> str:
    """Return the kind that a name implies, or ""."""
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    if suffix in {".yml", ".yaml"} and path.parent.as_posix().endswith(".github/workflows"):
        return "workflow"
    if path.name in {"action.yml", "action.yaml"}:
        return "action"
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    tags = identify.tags_from_filename(path.name) if "\n" not in name else set()
    return next((kind for kind in ("yaml", "json", "shell") if kind in tags and not tags & {"jupyter", "zsh", "csh", "fish"}), "")


def kind_by_shebang(data: bytes) -> str:
    """Return the kind that a shebang implies, or ""."""
    program = (read_shebang(data) or ("",))[0].rpartition("/")[2]
    return "shell" if program in SHELLS | OTHER_SHELLS | {"busybox"} else "python" if PYTHON.match(program) else ""


def name_kind(name: str, program: str) -> str:
    """Return a label for a file without a checker: its suffix, its interpreter, or `text`."""
    return PurePosixPath(name).suffix.lower().lstrip(".") or program or "text"


def is_chart_template(name: str, charts: Sequence[str]) -> bool:
    """Return whether helm renders a file."""
    return any(name.startswith(f"{chart}/templates/" if chart else "templates/") for chart in charts)
