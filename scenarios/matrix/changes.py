"""Changed paths → the cells that they affect.

A Python file affects the cells that import it, directly or not: a deployer's module affects that deployer's cells, `lab.wait` all cells.
The registries import every provider and deployer; of those imports only the ones for the cell's provider and deployer are followed.
RULES lists other files. A file that matches no rule affects every cell: a missing rule costs time, never coverage.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

from deployers.deployer import get_deployer
from lab.assets.command import CommandRunner, spawn
from lab.errors import NotPossible, UsageError
from lab.providers.registry import get_provider
from scenarios.matrix.cells import MatrixCell
from scenarios.matrix.definition import FILE, Matrix
from scenarios.matrix.imports import Graph, find_reachable, import_graph, module_files, with_packages

ROOT = FILE.parent.parent
PLUGINS = tuple(f"scenarios.kit.{name}" for name in ("signals", "options", "needs", "selection", "fixtures", "reporting"))
"""The plugins of pytest that conftest.py and karmada_lab/plugin.py name."""
ROOTS = (*PLUGINS, "deployers.up.bring_up", "lab.take_down", "lab.__main__", "lab.supervisor.__main__", "scenarios.matrix.run_cell")
"""The modules that every cell runs, besides its provider, its deployer and its tests."""
REGISTRIES = ("lab.providers.registry", "deployers.deployer")
"""The registries, which import every provider and deployer."""
VERBS = "lab.verbs"
"""The table of verbs. A cell uses those of labs and of Karmada; verbs of packages above them start cells, benchmarks and reports."""


class Scope(str, Enum):
    """Which cells a path affects."""

    NONE = "none"
    ALWAYS = "always"
    """The cells that every pull request runs: enough to see that running a cell still works."""
    SOME = "some"
    ALL = "all"


RULES: tuple[tuple[str, Scope], ...] = (
    ("*.md", Scope.NONE),
    (".gitignore", Scope.NONE),
    ("*/tests/*", Scope.NONE),  # unit tests: `make check` runs them
    ("perf/*", Scope.NONE),  # benchmarks: no cell runs them
    ("deployers/examples/*", Scope.NONE),  # people run them
    ("scenarios/durations.json", Scope.NONE),
    (".github/runner-kit/*", Scope.NONE),  # its own tests apply it
    *((f"scenarios/{name}", Scope.ALWAYS) for name in ("commands/*", "matrix/*", "ci/*")),  # they plan cells and run them
    (".github/*", Scope.ALWAYS),
    ("reports/*", Scope.ALWAYS),
    ("Makefile", Scope.ALWAYS),
    (".ci/*", Scope.NONE),
)


@dataclass(frozen=True)
class ChangeTree:
    """The sources of the project and their import graph."""

    matrix: Matrix
    root: Path = ROOT

    @cached_property
    def known(self) -> Mapping[str, Path]:
        return module_files(self.root)

    @cached_property
    def imports(self) -> Graph:
        return import_graph(self.known)

    @cached_property
    def ignored(self) -> frozenset[tuple[str, str]]:
        """The imports that would connect every cell to all providers and deployers, and to verbs that no cell uses."""
        own = {module_of(get_provider, name) for name in self.matrix.providers} | {
            module_of(get_deployer, name) for name in self.matrix.deployers
        }
        above = {name for name in self.imports.get(VERBS, ()) if not name.startswith(("lab.", "deployers."))}
        return frozenset(
            {(registry, module) for registry in REGISTRIES for module in own if module} | {(VERBS, module) for module in above}
        )

    @cached_property
    def _reached(self) -> dict[tuple[str, str, str], frozenset[str]]:
        return {}

    def reached(self, cell: MatrixCell) -> frozenset[str]:
        """Return the modules that a cell runs."""
        key = (cell.provider, cell.deployer, cell.suite)  # versions do not affect imports
        if key not in self._reached:
            self._reached[key] = self._reach(cell)
        return self._reached[key]

    def _reach(self, cell: MatrixCell) -> frozenset[str]:
        tests = [f"scenarios.{path.stem}" for path in self.matrix.files(cell.suite)]
        own = [module for module in (module_of(get_provider, cell.provider), module_of(get_deployer, cell.deployer)) if module]
        reached = find_reachable(self.imports, with_packages([*ROOTS, *own, *tests], self.known), but=self.ignored)
        # Each package of scenarios except kit belongs to one suite. Its modules that no module imports are programs of images.
        packages = {name for name in reached if name.startswith("scenarios.")} - {"scenarios.kit"}
        return reached | {name for name in self.known if name.rpartition(".")[0] in packages}

    def scope(self, path: str) -> Scope:
        """Return which cells a path affects; for SOME, `touched` finds them."""
        if (rule := next((scope for pattern, scope in RULES if fnmatch(path, pattern)), None)) is not None:
            return rule
        if self.module(path) or any(suite.lab_file == self.root / path for suite in self.matrix.suites.values()):
            return Scope.SOME
        return Scope.ALL

    def module(self, path: str) -> str | None:
        """Return the module at a path, or None."""
        return next((name for name, file in self.known.items() if file == self.root / path), None)

    def touched(self, paths: Iterable[str], cells: Iterable[MatrixCell], *, always: Iterable[MatrixCell] = ()) -> list[MatrixCell]:
        """Return those of `cells` that a change of these paths affects, sorted."""
        cells = set(cells)
        scopes = {path: self.scope(path) for path in paths}
        if Scope.ALL in scopes.values():
            return sorted(cells)
        found = cells & set(always) if Scope.ALWAYS in scopes.values() else set()
        some = [path for path, scope in scopes.items() if scope is Scope.SOME]
        changed = {module for path in some if (module := self.module(path))}
        labs = {self.root / path for path in some}
        for cell in cells:
            if self.matrix.suites[cell.suite].lab_file in labs or (changed and changed & self.reached(cell)):
                found.add(cell)
        return sorted(found)


def module_of(registry: object, name: str) -> str | None:
    """Return the module of a provider or deployer; None for an unknown name: its cells are not possible anyway."""
    try:
        return type(registry(name)).__module__  # type: ignore[operator]  # one of the two functions
    except UsageError:
        return None


def paths_changed_since(ref: str, *, root: Path = ROOT, run: CommandRunner = spawn) -> list[str]:
    """Return the paths that differ from the merge base with `ref`, sorted, with untracked files that git does not ignore.

    UsageError when there is no such ref; NotPossible when this is no repository or the clone is too shallow.
    """

    def git(*args: str) -> tuple[int, str, str]:
        ran = run(["git", *args], cwd=root, env={"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"})
        return ran.status, ran.stdout, ran.last_lines

    status, _, why = git("rev-parse", "--git-dir")
    if status:
        raise NotPossible("git does not know this directory", where=str(root), detail=why, remedy="run this in a clone of the repository")
    if git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")[0]:
        names = git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags")[1].split()
        near = difflib.get_close_matches(ref, names, n=3)
        raise UsageError(
            f"there is no commit {ref!r} in this clone",
            where=str(root),
            remedy=(f"did you mean {' or '.join(near)}? " if near else "") + "run git fetch (in a workflow: fetch-depth: 0)",
        )
    status, base, _ = git("merge-base", "--end-of-options", ref, "HEAD")
    if status:
        raise NotPossible(
            f"{ref} and this branch have no commit in common here",
            where=str(root),
            remedy="git fetch --unshallow (in a workflow: fetch-depth: 0)",
        )
    _, differing, _ = git("diff", "--name-only", "--no-renames", "-z", base.strip())
    _, new, _ = git("ls-files", "--others", "--exclude-standard", "-z")
    return sorted({path for path in f"{differing}\0{new}".split("\0") if path})
