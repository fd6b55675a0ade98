"""The structure of the sources: no import cycles, packages that can be surveyed, files that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("lab", "deployers", "scenarios", "perf", "reports")
MAX_ENTRIES, MAX_LINES = 26, 400


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Every module and what it imports."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return {name: set(graph.find_modules_directly_imported_by(name)) for name in graph.modules}


def cycle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a cycle of a graph; [] when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room(module: str) -> str:
    """Return the part of its package that a module is in: deployers.plane for deployers.plane.layout."""
    return ".".join(module.split(".")[:2])


def between_rooms(imports: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Return which rooms each room imports."""
    found: dict[str, set[str]] = {}
    for module, targets in imports.items():
        found.setdefault(room(module), set()).update(room(target) for target in targets if room(target) != room(module))
    return found


def test_a_cycle_is_found() -> None:
    assert set(cycle({"a": ["b"], "b": ["c"], "c": ["a"], "d": []})) == {"a", "b", "c"}
    assert set(cycle(between_rooms({"p.x.1": ["p.y.1"], "p.y.2": ["p.x.2"], "p.x.2": ["p.x.1"]}))) == {"p.x", "p.y"}
    assert not cycle({"a": ["b", "c"], "b": ["c"]})


def test_no_files_import_each_other(imports: dict[str, set[str]]) -> None:
    assert cycle(imports) == []


def test_no_rooms_of_a_package_import_each_other(imports: dict[str, set[str]]) -> None:
    assert cycle(between_rooms(imports)) == []


def test_the_top_level_of_deployers_fits_on_a_screen(imports: dict[str, set[str]]) -> None:
    rooms = {room(module) for module in imports if module.startswith("deployers.")} - {"deployers.__main__"}

    assert len(rooms) <= MAX_ENTRIES, sorted(rooms)


def test_no_file_is_too_long_to_read() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "tests" not in path.relative_to(ROOT).parts]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}

    assert not {name: length for name, length in lengths.items() if length > MAX_LINES}


def test_scenarios_hold_tests_and_lab_files_at_the_top() -> None:
    files = {path.name for path in (ROOT / "scenarios").iterdir() if path.is_file()}

    assert not {name for name in files if not name.startswith(("test_", "__")) and not name.endswith((".toml", ".json"))}
