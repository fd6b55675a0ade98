"""Execute a whole workflow on this computer: its jobs in sequence, by their needs, conditions and matrix."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from lab.errors import UsageError
from lab.interrupt import Interrupted
from scenarios.ci.rehearsal.stage import Stage, rehearse, run_step, table_of
from scenarios.ci.rehearsal.workflow import WorkflowFile
from scenarios.tests.ci.rehearsal.rehearsal_fakes import GITHUB, Shell, run, stage


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


def test_a_step_that_may_fail_does_not_hide_a_cancel(root: Path) -> None:
    assert run(root, Shell(root, hint=Interrupted(signal.SIGINT)))[0] == "cancelled"


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
