"""Workflows executed here: conditions, outputs, matrices, actions and artifacts, as GitHub has them."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.errors import UsageError
from lab.interrupt import Interrupted
from scenarios.ci.rehearsal.runner import JobRunner
from scenarios.ci.rehearsal.stage import Stage, rehearse, run_step, table_of
from scenarios.ci.rehearsal.workflow import ROOT, WorkflowFile

CALLED = """
on:
  workflow_call:
    inputs:
      plan: { type: string, required: true }
      extra: { type: string, default: "" }
jobs:
  plan:
    outputs:
      matrix: ${{ steps.m.outputs.matrix }}
      count: ${{ steps.m.outputs.count }}
    steps:
      - uses: actions/checkout@x
      - { id: m, run: plan, env: { ARGS: "--github ${{ inputs.plan }}" } }
      - { uses: actions/upload-artifact@x, with: { name: plan, path: _plan } }
  cell:
    needs: plan
    if: needs.plan.outputs.count != '0'
    strategy: { matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}" }
    steps:
      - { uses: ./.github/actions/cell, with: { cell: "${{ matrix.cell }}" } }
  extra:
    if: inputs.extra != ''
    steps: [{ run: extra }]
  report:
    needs: [plan, cell, extra]
    if: always() && needs.plan.result == 'success'
    steps:
      - { uses: actions/download-artifact@x, with: { pattern: cell-*, path: _cells } }
      - { uses: actions/download-artifact@x, with: { name: plan, path: _plan } }
      - { run: report }
"""
ACTION = """
inputs: { cell: { required: true } }
runs:
  using: composite
  steps:
    - { id: up, run: up, env: { CELL: "${{ inputs.cell }}" } }
    - { name: hint, run: hint, continue-on-error: true }
    - { run: test, if: "${{ !cancelled() && steps.up.outcome == 'success' }}" }
    - { name: only when all went well, run: boast }
    - { run: collect, if: always(), env: { CELL: "${{ inputs.cell }}" } }
    - { uses: actions/upload-artifact@x, if: always(), with: { name: "cell-${{ inputs.cell }}", path: _cells, if-no-files-found: error } }
"""
CALLER = """
on: { pull_request: }
jobs:
  cells:
    uses: ./.github/workflows/called.yml
    with: { plan: "${{ github.event_name == 'pull_request' && format('--since {0}', github.event.pull_request.base.sha) || '--all' }}" }
"""
GITHUB = {"event_name": "pull_request", "event": {"pull_request": {"base": {"sha": "abc"}}}, "sha": "def", "run_id": "1"}


class Shell:
    """Answers commands by their words, and writes what they would."""

    def __init__(self, root: Path, matrix: str = '{"include": [{"cell": "a"}, {"cell": "b"}]}', **statuses: int | BaseException) -> None:
        self.root = root
        self.matrix = matrix
        self.statuses = statuses
        self.ran: list[str] = []
        self.env: dict[str, Mapping[str, str]] = {}

    def __call__(self, argv: list[str], env: Mapping[str, str], _log: Path) -> int:
        words = argv[-1]
        self.ran.append(words + (f" {env['CELL']}" if "CELL" in env else ""))
        self.env[words] = env
        if words == "plan":
            (self.root / "_plan").mkdir()
            (self.root / "_plan" / "plan.json").write_text("{}")
            with Path(env["GITHUB_OUTPUT"]).open("a") as file:
                file.write(f"matrix={self.matrix}\ncount={self.matrix.count('cell')}\n")
        if words == "collect":
            (self.root / "_cells").mkdir()
            (self.root / "_cells" / "cell.json").write_text(env["CELL"])
        if words == "report":
            self.ran += sorted(str(path.relative_to(self.root)) for path in self.root.glob("_*/**/*.json"))
        answer = self.statuses.get(words, 0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {"workflows/called.yml": CALLED, "workflows/caller.yml": CALLER, "actions/cell/action.yml": ACTION}.items():
        path = tmp_path / ".github" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def stage(root: Path, shell: Shell, **other: Any) -> Stage:
    return Stage(root / "store", GITHUB, execute=shell, root=root, **other)


def run(root: Path, shell: Shell, **other: Any) -> tuple[str, Stage]:
    on = stage(root, shell, **other)
    return on.run(WorkflowFile.load(".github/workflows/caller.yml", root))["result"], on


def test_a_workflow_is_executed_as_its_needs_matrix_and_artifacts_say(root: Path) -> None:
    shell = Shell(root)

    result, _ = run(root, shell)

    assert result == "success"
    assert shell.ran == [
        *("plan", "up a", "hint", "test", "boast", "collect a", "up b", "hint", "test", "boast", "collect b", "report"),
        *("_cells/cell-a/cell.json", "_cells/cell-b/cell.json", "_plan/plan.json"),
    ]
    assert shell.env["plan"]["ARGS"] == "--github --since abc"
    assert not list(root.glob("_*")), "each job had folders of its own"


def test_what_failed_is_collected_and_reported_and_the_workflow_fails(root: Path) -> None:
    shell = Shell(root, matrix='{"include": [{"cell": "a"}]}', test=1)

    result, on = run(root, shell)

    assert result == "failure"
    assert shell.ran == ["plan", "up a", "hint", "test", "collect a", "report", "_cells/cell-a/cell.json", "_plan/plan.json"]
    assert ("cells / cell (a).1", "only when all went well", "skipped", "") in table_of(on.done)


def test_what_depends_on_a_step_that_failed_is_not_done(root: Path) -> None:
    shell = Shell(root, matrix='{"include": [{"cell": "a"}]}', up=4)

    assert run(root, shell)[0] == "failure"
    assert shell.ran[:4] == ["plan", "up a", "collect a", "report"]


def test_a_step_that_may_fail_does_not_fail_the_job(root: Path) -> None:
    assert run(root, Shell(root, hint=1))[0] == "success"


def test_after_a_cancel_only_what_is_always_done_is_done(root: Path) -> None:
    shell = Shell(root, matrix='{"include": [{"cell": "a"}]}', test=Interrupted(signal.SIGINT))

    assert run(root, shell)[0] == "cancelled"
    assert shell.ran[:5] == ["plan", "up a", "hint", "test", "collect a"]


def test_an_empty_plan_has_no_cells_and_a_report(root: Path) -> None:
    shell = Shell(root, matrix='{"include": []}')

    assert run(root, shell)[0] == "success"
    assert shell.ran == ["plan", "report", "_plan/plan.json"]


def test_only_the_cells_that_are_named_are_rehearsed(root: Path) -> None:
    shell = Shell(root)

    _, on = run(root, shell, only=["b"])

    assert [words for words in shell.ran if words.startswith("up")] == ["up b"]
    assert ("cells / cell (a)", "job", "not rehearsed", "") in table_of(on.done)
    with pytest.raises(UsageError, match="no cell 'c'"):
        run(root, Shell(root), only=["c"])


def test_an_action_that_is_not_imitated_is_refused(root: Path) -> None:
    (root / ".github" / "workflows" / "x.yml").write_text("on: { pull_request: }\njobs: { a: { steps: [{ uses: 'actions/stale@x' }] } }")

    with pytest.raises(UsageError, match="actions/stale"):
        stage(root, Shell(root)).run(WorkflowFile.load(".github/workflows/x.yml", root))


def test_a_repository_under_test_is_linked_for_the_job_and_left_alone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    theirs = tmp_path_factory.mktemp("theirs")
    (theirs / "a.json").write_text("{}")
    steps = [{"uses": "actions/checkout@x", "with": {"path": "_under_test"}}, {"run": "report"}]
    (root / ".github" / "workflows" / "x.yml").write_text(yaml.safe_dump({"on": "pull_request", "jobs": {"a": {"steps": steps}}}))
    file = WorkflowFile.load(".github/workflows/x.yml", root)

    assert stage(root, Shell(root), under_test=theirs).run(file)["result"] == "success"
    assert not (root / "_under_test").exists()
    assert (theirs / "a.json").exists()
    with pytest.raises(UsageError, match="--under-test PATH"):
        stage(root, Shell(root)).run(file)


def test_jobs_that_need_each_other_are_refused(root: Path) -> None:
    jobs = {"a": {"needs": "b", "steps": []}, "b": {"needs": "a", "steps": []}}
    (root / ".github" / "workflows" / "x.yml").write_text(yaml.safe_dump({"on": "pull_request", "jobs": jobs}))

    with pytest.raises(UsageError, match="need each other"):
        stage(root, Shell(root)).run(WorkflowFile.load(".github/workflows/x.yml", root))


def test_a_step_that_may_fail_does_not_hide_a_cancel(root: Path) -> None:
    assert run(root, Shell(root, hint=Interrupted(signal.SIGINT)))[0] == "cancelled"


# -- the real action of a cell ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "ran", "result"),
    [
        ({}, "up conformance test collect down", "success"),
        ({"up": 4}, "up collect down again", "success"),
        ({"up": 4, "again": 4}, "up collect down again", "failure"),
        ({"conformance": 1, "again": 1}, "up conformance test collect down again", "failure"),
        ({"test": 1}, "up conformance test collect down again", "success"),
        ({"down": 7}, "up conformance test collect down", "failure"),
        ({"test": 1, "down": 7}, "up conformance test collect down again", "failure"),
    ],
)
def test_a_cell_ends_as_its_second_attempt_did_where_there_was_one(tmp_path: Path, statuses: dict[str, int], ran: str, result: str) -> None:
    shutil.copytree(ROOT / ".github" / "actions", tmp_path / ".github" / "actions")
    seen: list[str] = []

    def execute(_argv: list[str], env: Mapping[str, str], _log: Path) -> int:
        if "ARGS" not in env:
            return 0  # setup, doctor
        seen.append(env["ARGS"].split()[-1].removeprefix("--"))
        (tmp_path / "_cells").mkdir(exist_ok=True)
        return statuses.get(seen[-1], 0)

    runner = JobRunner(tmp_path / "store", {"github": GITHUB, "runner": {}}, execute, tmp_path)
    step = {"uses": "./.github/actions/cell", "with": {"cell": "a-b-c-d-e", "provider": "a"}}

    assert runner.run([step], "cell") == result
    assert seen == ran.split()
    assert (tmp_path / "store" / "artifacts" / "cell-a-b-c-d-e").is_dir()


# -- how it is started, and by whom ----------------------------------------------------------------------------------------------------


def test_inputs_are_those_of_a_start_by_hand_and_no_event_has_any(root: Path) -> None:
    job = {"steps": [{"run": "say", "env": {"WORDS": "${{ inputs.words || 'none' }}"}}]}
    on = {"schedule": [{"cron": "1 2 * * *"}], "workflow_dispatch": {"inputs": {"words": {"type": "string", "default": "some"}}}}
    (root / ".github" / "workflows" / "x.yml").write_text(yaml.safe_dump({"on": on, "jobs": {"a": job}}))
    file = WorkflowFile.load(".github/workflows/x.yml", root)

    def said(event: str, **inputs: str) -> str:
        shell = Shell(root)
        Stage(root / "store", {**GITHUB, "event_name": event}, execute=shell, root=root).run(file, inputs)
        return shell.env["say"]["WORDS"]

    assert [said("schedule"), said("workflow_dispatch"), said("workflow_dispatch", words="mine")] == ["none", "some", "mine"]
    with pytest.raises(UsageError, match="no inputs"):
        said("schedule", words="mine")
    with pytest.raises(UsageError, match="pull_request"):
        said("pull_request")


def test_a_repository_of_others_calls_ours_and_its_own_jobs_are_left_alone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    theirs = tmp_path_factory.mktemp("theirs")
    path = theirs / ".github" / "workflows" / "karmada.yml"
    path.parent.mkdir(parents=True)
    uses = "somebody/karmada-lab/.github/workflows/called.yml@v1"
    jobs = {"own": {"steps": [{"run": "boom"}]}, "lab": {"needs": "own", "uses": uses, "with": {"plan": "--only smoke"}}}
    path.write_text(yaml.safe_dump({"on": "pull_request", "jobs": jobs}))
    shell = Shell(root)
    on = stage(root, shell, under_test=theirs)

    assert rehearse(on, str(path), {}) == "success"

    assert shell.ran[0] == "plan"
    assert shell.env["plan"]["ARGS"] == "--github --only smoke"
    assert ("own", "job", "not rehearsed", "") in table_of(on.done)
    path.write_text(yaml.safe_dump({"on": "pull_request", "jobs": {"x": {"uses": "somebody/else/.github/workflows/x.yml@v1"}}}))
    with pytest.raises(UsageError, match="repository"):
        rehearse(on, str(path), {})


# -- caches ----------------------------------------------------------------------------------------------------------------------------


def test_a_cache_outlives_a_rehearsal_and_artifacts_do_not(root: Path) -> None:
    key = "history-${{ github.run_id }}"
    steps = [
        {"uses": "actions/cache/restore@x", "with": {"path": "_site/h.json", "key": key, "restore-keys": "history-"}},
        {"run": "report"},
        {"run": "write"},
        {"uses": "actions/cache/save@x", "with": {"path": "_site/h.json", "key": key}},
        {"uses": "actions/upload-artifact@x", "with": {"name": "cell-${{ github.run_id }}", "path": "_site"}},
        {"run": "fail"},
    ]
    (root / ".github" / "workflows" / "x.yml").write_text(yaml.safe_dump({"on": "schedule", "jobs": {"a": {"steps": steps}}}))

    class Writes(Shell):
        def __call__(self, argv: list[str], env: Mapping[str, str], log: Path) -> int:
            if argv[-1] == "write":
                (root / "_site").mkdir(exist_ok=True)
                (root / "_site" / "h.json").write_text("{}")
            return super().__call__(argv, env, log)

    def night(number: int) -> list[str]:
        shell = Writes(root, fail=1)
        on = Stage(root / "store", {**GITHUB, "event_name": "schedule", "run_id": str(number)}, execute=shell, root=root)
        assert rehearse(on, ".github/workflows/x.yml", {}) == "failure"
        return shell.ran

    assert night(1) == ["report", "write", "fail"]
    assert night(2) == ["report", "_site/h.json", "write", "fail"]
    assert [path.name for path in (root / "store" / "artifacts").iterdir()] == ["cell-2"]
    assert {path.name for path in (root / "store" / "caches").iterdir()} == {"history-1", "history-2"}


@pytest.mark.spawns
def test_commands_are_run_by_bash_and_tell_later_steps(root: Path) -> None:
    steps = [
        {
            "id": "one",
            "run": 'echo "said=$WORD" >> "$GITHUB_OUTPUT"; printf "MORE<<E\\na\\nb\\nE\\n" >> "$GITHUB_ENV"',
            "env": {"WORD": "x y"},
        },
        {"run": 'test "$MORE" = "a\nb" && test "$SAID" = "x y"', "env": {"SAID": "${{ steps.one.outputs.said }}"}},
        {"run": "false | true"},
    ]
    (root / ".github" / "workflows" / "x.yml").write_text(yaml.safe_dump({"on": "pull_request", "jobs": {"a": {"steps": steps}}}))
    on = Stage(root / "store", GITHUB, execute=run_step, root=root)

    assert on.run(WorkflowFile.load(".github/workflows/x.yml", root))["result"] == "failure"
    assert [each.outcome for each in on.done] == ["success", "success", "failure"], "a pipe fails when any of its commands does"
