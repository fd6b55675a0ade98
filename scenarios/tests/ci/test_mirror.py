"""The rule of test files: lab/x/y.py is tested in lab/tests/x/test_y.py.

A module without behaviour needs no test file: data, and classes of methods without a body (protocols). The other exceptions stand in
mirror_exemptions.toml, by their kind; the list only gets shorter.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("lab", "deployers", "scenarios", "perf", "reports")
EXEMPTIONS = tomllib.loads(Path(__file__).with_name("mirror_exemptions.toml").read_text())
AT_MOST = {"parts": 58, "real_labs": 37, "commands": 52}
"""Exemptions of each kind. Lower a number when a module gets its test file; never raise one."""


def sources() -> Iterator[Path]:
    """Yield the modules of the packages, without their tests and without `__init__` and `__main__`, which only put others together."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            relative = path.relative_to(ROOT)
            scenario = relative.parent == Path("scenarios") and path.name.startswith("test_")
            if "tests" not in relative.parts and not path.name.startswith("__") and not scenario:
                yield relative


def mirror_of(module: Path) -> Path:
    """Return the test file of a module: lab/tests/x/test_y.py for lab/x/y.py."""
    package, *folders = module.parent.parts
    return Path(package, "tests", *folders, f"test_{module.name}")


def has_behaviour(tree: ast.Module) -> bool:
    """Return whether a function or method has a body beyond its docstring, `...` and `pass`."""
    return any(not all(is_empty(line) for line in node.body) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def is_empty(line: ast.stmt) -> bool:
    return isinstance(line, ast.Pass) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))


@cache
def imports_of(path: Path) -> frozenset[Path]:
    """Return the modules of this project that a file imports or starts as programs, as paths."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[a-z_.]+", node.value):
            program = node.value.removesuffix(".py")  # started as a program: by `-m`, or as the file beside this one
            names.add(program if program == node.value else ".".join((*path.parent.parts, program)))
    found = {Path(*name.split(".")) for name in names if name.split(".")[0] in PACKAGES}
    return frozenset(choice for each in found for choice in (each.with_suffix(".py"), each / "__init__.py") if (ROOT / choice).is_file())


def imports_far(path: Path, module: Path) -> bool:
    """Return whether a file imports a module, itself or through what it imports."""
    seen: set[Path] = set()
    todo = [path]
    while todo:
        found = imports_of(todo.pop()) - seen
        seen |= found
        todo.extend(found)
    return module in seen


def test_every_module_has_its_test_file_or_is_exempt() -> None:
    exempt = {name for kind in EXEMPTIONS.values() for name in kind}
    lacking = [
        str(module)
        for module in sources()
        if str(module) not in exempt and not (ROOT / mirror_of(module)).exists() and has_behaviour(ast.parse((ROOT / module).read_text()))
    ]

    assert not lacking, "\n".join(["write the test file of each of these", *(f"{name}: {mirror_of(Path(name))}" for name in lacking)])


def test_every_exemption_is_needed() -> None:
    known = {str(module) for module in sources()}
    names = [name for kind in EXEMPTIONS.values() for name in kind]

    assert len(names) == len(set(names))
    assert [name for name in names if name not in known] == [], "these modules do not exist"
    assert [name for name in names if (ROOT / mirror_of(Path(name))).exists()] == [], "these modules have a test file"
    assert [name for name in names if name in known and not has_behaviour(ast.parse((ROOT / name).read_text()))] == []


def test_the_list_of_exemptions_gets_no_longer() -> None:
    assert {kind: len(modules) for kind, modules in EXEMPTIONS.items()} == AT_MOST


@pytest.mark.parametrize(("module", "test"), EXEMPTIONS["parts"].items())
def test_a_part_is_tested_with_the_module_that_is_made_of_it(module: str, test: str) -> None:
    """The test file imports the part, or a module that imports it."""
    direct = imports_of(Path(test))

    assert Path(module) in direct or any(Path(module) in imports_of(each) for each in direct)


@pytest.mark.parametrize(("module", "scenario"), EXEMPTIONS["real_labs"].items())
def test_what_only_a_real_lab_can_run_is_run_by_a_scenario(module: str, scenario: str) -> None:
    assert Path(scenario).parts[0] == "scenarios"
    assert imports_far(Path(scenario), Path(module))


@pytest.mark.parametrize(("module", "place"), EXEMPTIONS["commands"].items())
def test_what_a_command_runs_is_run_by_it_somewhere(module: str, place: str) -> None:
    file, _, word = place.partition(" ")

    assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", (ROOT / file).read_text()), module


def test_a_module_with_data_and_protocols_has_no_behaviour() -> None:
    protocol = "class Machine(Protocol):\n    def run(self) -> str:\n        'Return the output.'\n        ...\n"

    assert not has_behaviour(ast.parse(f"NAME = 'x'\n{protocol}"))
    assert has_behaviour(ast.parse(f"{protocol}\ndef name():\n    return 'x'\n"))


def test_the_mirror_of_a_module_is_in_the_same_folder_below_tests() -> None:
    assert mirror_of(Path("lab/wait.py")) == Path("lab/tests/test_wait.py")
    assert mirror_of(Path("lab/machines/ssh/host.py")) == Path("lab/tests/machines/ssh/test_host.py")
