"""The import graph of this project: grimp's, plus the edges that sources contain as text.

grimp reads the sources and imports nothing. Imports inside functions and imports for types count, since a change there has an effect.
grimp replaced a reader of `ast`: on 2026-11-29 both gave the same edges for all 428 modules, grimp in 1.5 s, the reader in 25 s (both
cores were busy with other work). grimp cannot see edges that are text, so they are added here: a program started as `python -m MODULE`,
and an entry point `module:function`, of which lab/verbs.py lists one for each verb.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import grimp

PACKAGES = ("lab", "deployers", "scenarios", "reports", "perf")
ENTRY_POINT = re.compile(r"([a-z_][\w.]*):[a-z_]\w*")
Graph = Mapping[str, frozenset[str]]


def module_files(root: Path, packages: Iterable[str] = PACKAGES) -> dict[str, Path]:
    """Return the file of every module by its dotted name, without unit tests."""
    found: dict[str, Path] = {}
    for package in packages:
        for path in (root / package).rglob("*.py"):
            inside = path.relative_to(root)
            if "tests" not in inside.parts:
                found[".".join(inside.with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def import_graph(files: Mapping[str, Path]) -> Graph:
    """Return which of these modules each of them imports or starts. Their packages must be importable: grimp finds them on sys.path."""
    built = grimp.build_graph(*sorted({name.partition(".")[0] for name in files}), cache_dir=None)
    return {
        name: frozenset(with_packages({*built.find_modules_directly_imported_by(name), *list_mentions(path)}, files) - {name})
        for name, path in files.items()
    }


def with_packages(names: Iterable[str], known: Mapping[str, Path]) -> set[str]:
    """Return these modules and those of `known` that are packages around them: Python executes a package's file first."""
    return {package for name in names for package in itertools.accumulate(name.split("."), "{}.{}".format) if package in known}


def list_mentions(path: Path) -> Iterator[str]:
    """Yield the modules that a source mentions as text: `-m MODULE` in a list, and entry points."""
    text = path.read_text()
    if '"-m"' not in text and "'-m'" not in text and not ENTRY_POINT.search(text):
        return
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.List | ast.Tuple):
            items = [str(each.value) if isinstance(each, ast.Constant) else "" for each in node.elts]
            for option, module in itertools.pairwise(items):
                if option == "-m":
                    yield from (module, f"{module}.__main__")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := ENTRY_POINT.fullmatch(node.value)):
            yield found[1]


def find_reachable(imports: Graph, roots: Iterable[str], *, but: frozenset[tuple[str, str]] = frozenset()) -> frozenset[str]:
    """Return the modules that `roots` import, directly or not, and `roots` themselves. Do not follow the imports in `but`."""
    seen: set[str] = set()
    todo = [root for root in roots if root in imports]
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += [target for target in imports[module] if (module, target) not in but]
    return frozenset(seen)
