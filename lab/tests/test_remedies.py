"""Every command that a message names can be typed as it is printed: it is built from the lab it is about, and the command line knows it."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from lab import hints
from lab.verbs import app

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for top in ("lab", "deployers", "scenarios", "perf")
    for path in (ROOT / top).rglob("*.py")
    if "tests" not in path.parts and not path.name.startswith("test_")
)
GROUP: Any = typer.main.get_command(app)
ABOUT_NO_LAB = {"assets", "images", "bundle", "doctor", "gc", "compare", "lint", "upstream", "fork", "operator"}
OF_FILES = {("snapshot", "save"), ("snapshot", "delete"), ("backup", "list"), ("backup", "get"), ("backup", "keygen")}
"""Verbs whose hint need not name a lab: they are about this computer or about files, or name it by an option of theirs."""
NAMED = re.compile(rf"\blab ({'|'.join(sorted(GROUP.list_commands(None)))})\b")
PROSE = re.compile(r"\b(the|its|a|this|no|each|another|every|take|have) lab ")
KEYWORDS = {"remedy", "again"}
ALLOWED = {"lab/settings.py", "lab/hints.py"}
READERS = {"lab/images/official.py", "lab/assets/user_pins.py", "scenarios/documentation/reference.py"}
"""Files that write the command into a file that is kept with this project, for whoever reads it from any directory."""


def parse(argv: list[str]) -> None:
    """Read arguments as the command line does and do nothing; raises what it would say of them."""
    command, name = GROUP, "lab"
    context = command.context_class(command, info_name=name)
    while hasattr(command, "commands") and not argv[0].startswith("-"):
        name, argv = argv[0], argv[1:]
        command = command.get_command(context, name)
        assert command, f"there is no command {name}"
        context = command.context_class(command, info_name=name, parent=context)
    values, left, _ = command.make_parser(context).parse_args(args=list(argv))
    assert not left, f"{name} takes no {left}"
    missing = [each.name for each in command.params if each.required and each.param_type_name == "argument" and not values.get(each.name)]
    assert not missing, f"{name} lacks {missing}"


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call of `command` of lab.hints, with its place."""
    for path in SOURCES:
        text = path.read_text()
        if "lab.hints import" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "command":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def words(node: ast.Call) -> list[str]:
    """Return a call's words; what is known only when it runs is `x`, and arguments that are unpacked are none."""
    return [str(each.value) if isinstance(each, ast.Constant) else "x" for each in node.args if not isinstance(each, ast.Starred)]


CALLS = dict(calls())


@pytest.mark.parametrize("place", CALLS)
def test_every_hint_is_a_command_that_there_is_and_names_its_lab(place: str) -> None:
    node = CALLS[place]
    line = words(node)
    if line[0] == "x" or any(isinstance(each, ast.Starred) for each in node.args):
        line = line[:1] if line[0] != "x" else []
    elif line[0] == "addon" and line[1] == "x":
        line = []
    given = {keyword.arg for keyword in node.keywords}
    if line and not any(isinstance(each, ast.Starred) for each in node.args):
        parse([*line[: line.index("--")], "--lab", "blue", *line[line.index("--") :]] if "--" in line else line)
    if (
        line
        and line[0] not in ABOUT_NO_LAB
        and tuple(line[:2]) not in OF_FILES
        and "--lab" not in line
        and "--provider" not in line
        and "--bundle" not in line
    ):
        assert "lab" in given or place.startswith("deployers/commands/doctor.py"), f"{place}: of which lab?"


def test_there_are_hints() -> None:
    assert len(CALLS) > 50


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_remedy_is_written_by_hand(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            texts = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            found += [f"{node.value.lineno}: {text}" for text in texts if NAMED.search(PROSE.sub("", text))]
    assert not found or str(path.relative_to(ROOT)) in ALLOWED


QUOTED = re.compile(rf"`lab ({'|'.join(sorted(GROUP.commands))})\b")
HELP = {"help", "Setting", "option", "setting", "duration", "Verb", "Typer", "Argument"}
"""Calls and keywords whose text is help: it names the command as the manual does."""


def printed_texts(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the texts of a file that are neither docstrings nor help."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        name = (
            node.arg
            if isinstance(node, ast.keyword)
            else getattr(node.func, "id", getattr(node.func, "attr", ""))
            if isinstance(node, ast.Call)
            else ""
        )
        if name in HELP:
            skipped |= {id(each) for each in ast.walk(node)}
    yield from (
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_printed_command_is_written_by_hand(path: Path) -> None:
    found = [f"{each.lineno}: {each.value!r}" for each in printed_texts(ast.parse(path.read_text())) if QUOTED.search(str(each.value))]

    assert not found or str(path.relative_to(ROOT)) in ALLOWED | READERS


@pytest.mark.parametrize("name", ["blue", "default", "a-b", "odd name", "it's", "$(x)", "-x"])
@pytest.mark.parametrize("current", [None, "blue"])
def test_a_remedy_acts_on_its_lab_whatever_lab_a_command_means(name: str, current: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "program", lambda: "lab")
    monkeypatch.delenv("KARMADA_LAB", raising=False)
    if current:
        monkeypatch.setenv("KARMADA_LAB", current)
    argv = shlex.split(hints.command("exec", "--", "kubectl", "get", "nodes", lab=name))
    before, after = argv[: argv.index("--")], argv[argv.index("--") + 1 :]

    assert after == ["kubectl", "get", "nodes"]
    assert (before[2:] or ["--lab", current or "default"]) == ["--lab", name]


@pytest.mark.parametrize("argv", [["dwon"], ["down", "--kep"], ["etcd", "shrink-it"], ["down", "blue"], ["fork"]])
def test_a_wrong_hint_would_be_found(argv: list[str]) -> None:
    with pytest.raises((AssertionError, Exception)) as wrong:
        parse(argv)
    assert wrong.value is not None
