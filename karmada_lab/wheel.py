"""How a wheel is made of this tree: the packages go below `karmada_lab`, and their imports of each other follow.

A checkout has lab, deployers, scenarios, perf and reports at its top. Installed under these names they would hide a user's own `perf` or
`reports`. So a wheel holds karmada_lab/lab, karmada_lab/perf, …, and what names a module there is rewritten while the wheel is built:
import statements, and texts that are a module of the tree ("lab.events", "deployers.commands.up:up", "-m", "lab").
scenarios/tests/test_wheel.py imports every module of a built wheel where no other name can be imported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from setuptools.command.build_py import build_py

PACKAGES = ("lab", "deployers", "scenarios", "perf", "reports")
INTO = "karmada_lab"
MODULE = re.compile(rf"({'|'.join(PACKAGES)})((?:\.\w+)*)(:\w+)?")


class BuildWheel(build_py):  # type: ignore[misc]  # setuptools has no types
    """setuptools' build_py with every package at its place in the wheel. An editable install leaves the tree as it is."""

    def get_package_dir(self, package: str) -> str:
        """Return the folder of a package in this tree."""
        return str(super().get_package_dir(package))

    def build_module(self, module: str | list[str], module_file: str, package: Any) -> Any:
        """Copy a module to its place and rewrite it."""
        built = super().build_module(module, module_file, place(package))
        self.rewrite(Path(built[0]))
        return built

    def get_module_outfile(self, build_dir: str, package: Any, module: str) -> str:
        """Return where a module is built."""
        return str(super().get_module_outfile(build_dir, place(package), module))

    def _get_pkg_data_files(self, package: str) -> tuple[str, str, str, list[str]]:
        """Return a package, where its data files are, where they go, and their names."""
        name, source, _, names = super()._get_pkg_data_files(package)
        return name, source, str(Path(self.build_lib, *place(package))), names

    def rewrite(self, path: Path) -> None:
        """Rewrite a built module."""
        before = path.read_text(encoding="utf-8")
        after = rewrite_source(before, Path.cwd())
        if after != before:
            path.write_text(after, encoding="utf-8")


def place(package: str | list[str] | tuple[str, ...]) -> list[str]:
    """Return the parts of a package's name in the wheel."""
    parts = package.split(".") if isinstance(package, str) else list(package)
    return [INTO, *parts] if parts and parts[0] in PACKAGES else parts


def rewrite_source(text: str, tree: Path) -> str:
    """Return a source with every module of `tree` that it names found below karmada_lab. ValueError: it binds a package's bare name."""
    edits = sorted(find_edits(ast.parse(text), text, tree), reverse=True)
    lines = text.splitlines(keepends=True)
    for line, column in edits:
        raw = lines[line - 1].encode()
        if not MODULE.match(raw[column:].decode()):
            raise ValueError(f"line {line}: a module is named in a text that is no plain string")
        lines[line - 1] = (raw[:column] + f"{INTO}.".encode() + raw[column:]).decode()
    return "".join(lines)


def find_edits(module: ast.Module, text: str, tree: Path) -> Iterator[tuple[int, int]]:
    """Yield the line and the byte where each name of a module begins."""
    lines = text.splitlines(keepends=True)
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module and node.module.partition(".")[0] in PACKAGES:
            start = lines[node.lineno - 1].encode().index(node.module.encode(), node.col_offset + len("from"))
            yield node.lineno, start
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in PACKAGES:
                    if alias.asname is None:
                        raise ValueError(f"line {node.lineno}: write `from {alias.name} import …` or `import {alias.name} as …`")
                    yield alias.lineno, alias.col_offset
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and names_module(node.value, tree):
            yield node.lineno, node.col_offset + 1
        elif isinstance(node, ast.List | ast.Tuple):
            yield from (
                (after.lineno, after.col_offset + 1)
                for before, after in pairwise(node.elts)
                if isinstance(before, ast.Constant) and before.value == "-m"
                if isinstance(after, ast.Constant) and after.value in PACKAGES
            )


def names_module(text: str, tree: Path) -> bool:
    """Return whether a text is a dotted module of the tree, or `module:attribute`."""
    found = MODULE.fullmatch(text)
    if found is None or not found[2]:
        return False
    path = tree.joinpath(found[1], *found[2].split(".")[1:])
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
