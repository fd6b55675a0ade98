"""Changed paths and the cells that they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.assets.command import CommandResult
from lab.errors import NotPossible, UsageError
from lab.verbs import SECTIONS
from scenarios.matrix.cells import MatrixCell
from scenarios.matrix.changes import ROOTS, ChangeTree, Scope, paths_changed_since
from scenarios.matrix.definition import Matrix

SMOKE = MatrixCell("embedded", "by_binary", "1.18.2", "1.35.4", "smoke")
CORE = MatrixCell("embedded", "by_binary", "1.18.2", "1.35.4", "core")
LIFECYCLE = MatrixCell("embedded", "by_binary", "1.18.2", "1.35.4", "lifecycle")
OTHER = MatrixCell("kind", "by_chart", "1.18.2", "1.35.4", "smoke")
CELLS = [SMOKE, CORE, LIFECYCLE, OTHER]
KNOWN = (
    "README.md",
    "lab/wait.py",
    "deployers/by_chart/deployer.py",
    "scenarios/test_lifecycle.py",
    "scenarios/plain.toml",
    "reports/site.py",
    "new/x",
)
PATHS = st.lists(st.sampled_from(KNOWN), max_size=5)
Git = Callable[[Mapping[str, tuple[int, str]]], Callable[..., CommandResult]]


@pytest.fixture(scope="module")
def tree() -> ChangeTree:
    return ChangeTree(Matrix.load())


@pytest.mark.parametrize(
    ("paths", "cells"),
    [
        ([], []),
        (["README.md", "docs/deep/page.md", ".gitignore"], []),
        (["lab/tests/test_wait.py", "perf/bench.py", "scenarios/durations.json"], []),
        (["lab/wait.py"], CELLS),
        (["conftest.py"], CELLS),
        (["deployers/up/bring_up.py"], CELLS),
        (["lab/assets.toml"], CELLS),
        (["requirements.lock"], CELLS),
        (["lab/providers/a_file_that_is_gone.py"], CELLS),
        (["scenarios/lab.toml"], [CORE, LIFECYCLE]),
        (["scenarios/plain.toml"], [SMOKE, OTHER]),
        (["deployers/by_chart/deployer.py"], [OTHER]),
        (["deployers/by_operator/deployer.py", "README.md"], []),
        (["lab/providers/kind.py"], [OTHER]),
        (["scenarios/test_lifecycle.py"], [LIFECYCLE]),
        (["scenarios/kit/waiting.py"], CELLS),
        (["scenarios/kit/traffic.py"], []),
        (["scenarios/kit/options.py"], CELLS),
        (["lab/commands/up.py", "deployers/commands/up.py"], CELLS),
        (["scenarios/test_propagation.py"], [SMOKE, OTHER]),
        ([".github/workflows/e2e.yml"], [CORE]),
        (["scenarios/matrix/plan.py"], [CORE]),
        (["scenarios/commands/app.py"], [CORE]),
        (["reports/site.py"], [CORE]),
        (["Makefile", "scenarios/test_lifecycle.py"], [CORE, LIFECYCLE]),
    ],
)
def test_a_change_selects_the_cells_that_run_it(tree: ChangeTree, paths: list[str], cells: list[MatrixCell]) -> None:
    assert tree.touched(paths, CELLS, always=[CORE]) == sorted(cells)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS, PATHS, st.lists(st.sampled_from(CELLS), unique=True))
def test_a_larger_change_selects_no_fewer_cells_and_only_given_ones(
    tree: ChangeTree, one: list[str], other: list[str], cells: list[MatrixCell]
) -> None:
    few, more = tree.touched(one, cells, always=[CORE]), tree.touched([*one, *other], cells, always=[CORE])

    assert set(few) <= set(more) <= set(cells)
    assert set(more) == set(few) | set(tree.touched(other, cells, always=[CORE]))


def test_every_module_that_no_rule_excepts_changes_some_cell(tree: ChangeTree) -> None:
    every = [cell for cell in tree.matrix.cells() if tree.matrix.files(cell.suite)]
    unused_by_cells = {
        "lab.factories.namespace.init",  # a program that a machine starts as
        "lab.supervisor.remote",  # shipped to other machines as a file
        "lab.machines.scripted",
        "scenarios.kit.external_services",
        "scenarios.kit.golden",
    }  # people and unit tests run them

    no_cell = (
        "lab.factories.vm.snapshots",
        "lab.kubeadm.",
        "deployers.day2.change_settings",
        "deployers.operator.",
        "deployers.by_command",
        "scenarios.documentation",
        "scenarios.commands.docs",
    )  # people and unit tests run them, or a cell that is left out with its reason
    paths = {name: str(path.relative_to(tree.root)) for name, path in tree.known.items()}
    checked = [name for name, path in paths.items() if tree.scope(path) is Scope.SOME and name not in unused_by_cells]
    unused = [name for name in checked if not tree.touched([paths[name]], every)]
    assert [name for name in unused if not name.startswith(no_cell)] == []


def test_what_every_cell_runs_is_there(tree: ChangeTree) -> None:
    assert set(ROOTS) <= tree.known.keys()


def test_every_verb_of_the_command_is_an_edge_of_the_table(tree: ChangeTree) -> None:
    verbs = {verb.target.partition(":")[0] for section in SECTIONS for verb in section.verbs}

    assert verbs
    assert verbs <= tree.imports["lab.verbs"]


def test_no_cell_reaches_the_verbs_that_start_cells_and_benchmarks(tree: ChangeTree) -> None:
    reached = tree.reached(SMOKE)

    assert {"deployers.commands.up", "lab.commands.down"} <= reached
    assert not {name for name in reached if name.startswith(("perf.", "scenarios.commands"))}


def answers(table: Mapping[str, tuple[int, str]]) -> Callable[..., CommandResult]:
    """Return a Runner that answers git's verbs from a table."""

    def run(argv: Sequence[str], **_: object) -> CommandResult:
        status, out = table.get(argv[1], (0, ""))
        return CommandResult(status, out, "" if status == 0 else "fatal: no")

    return run


def test_what_changed_is_the_difference_and_what_is_new() -> None:
    run = answers({"merge-base": (0, "abc\n"), "diff": (0, "b.py\0a b.py\0"), "ls-files": (0, "new.py\0")})

    assert paths_changed_since("main", run=run) == ["a b.py", "b.py", "new.py"]


def test_a_ref_that_is_not_there_is_refused_with_the_nearest() -> None:
    class Runs:
        def __call__(self, argv: Sequence[str], **_: object) -> CommandResult:
            if "--verify" in argv:
                return CommandResult(1, "", "")
            return CommandResult(0, "main\nmaster\n" if argv[1] == "for-each-ref" else "", "")

    with pytest.raises(UsageError, match="main"):
        paths_changed_since("mian", run=Runs())


def test_a_missing_and_a_shallow_repository_give_different_errors() -> None:
    with pytest.raises(NotPossible, match="directory"):
        paths_changed_since("main", run=answers({"rev-parse": (128, "")}))
    with pytest.raises(NotPossible, match="commit"):
        paths_changed_since("main", run=answers({"merge-base": (1, "")}))


@pytest.mark.spawns
def test_git_itself_is_understood() -> None:
    assert isinstance(paths_changed_since("HEAD"), list)
    with pytest.raises(UsageError, match="no commit '--output=x'"):
        paths_changed_since("--output=x")
