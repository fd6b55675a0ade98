"""The workflows of .github: each step is a command of a laptop, and they fit each other and the matrix."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from scenarios.ci.rehearsal.stage import Stage
from scenarios.ci.rehearsal.workflow import ROOT, WorkflowFile, find_misfits, list_targets, load_all
from scenarios.matrix.definition import Matrix


def test_every_workflow_fits() -> None:
    assert list(find_misfits(load_all(), list_targets())) == []


def test_runner_labels_are_those_of_the_matrix() -> None:
    known = yaml.safe_load((ROOT / ".github" / "actionlint.yaml").read_text())["self-hosted-runner"]["labels"]
    matrix = Matrix.load()
    ours = {label for cell in matrix.cells() for label in matrix.runs_on(cell) if label.startswith("karmada-lab")}

    assert ours | {"karmada-lab-perf"} == set(known)


def test_every_cell_of_a_plan_has_what_its_job_reads() -> None:
    from scenarios.matrix.plan import Planner
    from scenarios.matrix.show import format_matrix

    planner = Planner.load()
    row = format_matrix(planner.plan(), planner.matrix, planner.durations)["include"][0]
    text = (ROOT / ".github" / "workflows" / "cells.yml").read_text()

    for name in {word.split("}")[0].strip() for word in text.split("matrix.")[1:] if "outputs" not in word[:20]}:
        assert name.split()[0] in row or name.startswith(("matrix", "outputs", "count")), name


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


@pytest.mark.parametrize(
    ("plan", "cells", "broken", "fails"), [(0, 1, "", False), (0, 0, "", False), (1, 1, "", True), (0, 1, "judge", True)]
)
def test_the_verdict_fails_unless_the_plan_and_the_report_succeeded(
    tmp_path: Path, plan: int, cells: int, broken: str, fails: bool
) -> None:
    found = jobs_of_cells(tmp_path, plan=plan, cells=cells, broken=broken)
    assert (found["verdict"] == "failure") is fails
