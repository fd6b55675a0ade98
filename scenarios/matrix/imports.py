"""Who imports whom in this project, read from its sources: nothing is imported to learn it.

An import inside a function counts, and so does one for types only: both say that a change there can be felt here. So does a program
that is started as `python -m MODULE`.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGES = ("lab", "deployers", "scenarios", "reports", "perf")
Graph = Mapping[str, frozenset[str]]


def modules(root: Path) -> dict[str, Path]:
    """Return every module of the project by its dotted name, conftest.py included; unit tests are none."""
    found = {"conftest": root / "conftest.py"}
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            inside = path.relative_to(root)
            if "tests" not in inside.parts:
                found[".".join(inside.with_suffix("").parts).removesuffix(".__init__")] = path
    return {name: path for name, path in found.items() if path.is_file()}


def graph(known: Mapping[str, Path]) -> Graph:
    """Return what each module imports of the project; a module of a package needs the package too."""
    return {name: frozenset(imports_of(name, path, known)) for name, path in known.items()}


def imports_of(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield the project's modules that one module imports."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for target in names_in(ast.parse(path.read_bytes(), str(path)), package):
        parts = target.split(".")
        yield from (parent for end in range(1, len(parts) + 1) if (parent := ".".join(parts[:end])) in known and parent != name)


def names_in(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the dotted names that imports mention; `from a import b` may mean the module a.b, and `-m a` means a.__main__, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*up, node.module or ""]))
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.List | ast.Tuple):
            words = [str(each.value) if isinstance(each, ast.Constant) else "" for each in node.elts]
            yield from (f"{module}.__main__" for option, module in itertools.pairwise(words) if option == "-m")


def reach(imports: Graph, roots: Iterable[str], *, but: frozenset[tuple[str, str]] = frozenset()) -> frozenset[str]:
    """Return the modules that `roots` import, directly or not, themselves included; imports in `but` are not followed."""
    seen: set[str] = set()
    todo = [root for root in roots if root in imports]
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += [target for target in imports[module] if (module, target) not in but]
    return frozenset(seen)
