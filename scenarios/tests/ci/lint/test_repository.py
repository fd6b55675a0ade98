"""A whole repository: every file is checked or listed."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.errors import NotPossible
from lab.steps import StepOutcome
from lab.verbs import app
from scenarios.ci.lint import playbooks, tools
from scenarios.ci.lint.coverage import Checked, Lint, Reason, Unchecked
from scenarios.ci.lint.repository import lint_repository
from scenarios.commands import lint as lint_command
from scenarios.tests.ci.lint.lint_fakes import CASES, OBJECT, Tools, write

WORKFLOW = "name: ci\non: [push]\njobs:\n  a:\n    runs-on: x\n    env: {A: '${{ github.workspace }}'}\n"
MIXED: dict[str, str | bytes] = {
    "deploy/a.yaml": OBJECT,
    "run.sh": "#!/bin/sh\n",
    "bin/tool": "#!/usr/bin/env bash\n",
    "bin/python": "#!/usr/bin/env python3\n",
    "site.yaml": "- hosts: '{{ all }}'\n  tasks: []\n",
    "roles/etcd/tasks/main.yaml": "- name: '{{ x }}'\n",
    "chart/Chart.yaml": "name: chart\nversion: 1.0.0\napiVersion: v2\n",
    "chart/templates/a.yaml": "{{ if }}",
    "vendor/bad.yaml": "a: [",
    "filled/in.yaml": "a: {{ca}}",
    ".github/workflows/ci.yml": WORKFLOW,
    "notes.yaml": "# {{ no template }}\na: '{{ b }}'\n",
    "data.json": '{"a": 1}',
    "tsconfig.json": '{\n  // a comment\n  "a": 1}',
    "logo.png": b"\x89PNG\r\n\x1a\n\x00",
    "main.go": "package main\n",
}


@pytest.mark.usefixtures("installed")
def test_each_kind_of_file_is_given_to_its_tools(tmp_path: Path) -> None:
    tools = Tools(outputs={"helm": f"# Source: chart/templates/a.yaml\n{OBJECT}"})

    lint = lint_repository(write(tmp_path, MIXED), tools)

    assert tools.files("yamllint") == [
        ".github/workflows/ci.yml", "chart/Chart.yaml", "deploy/a.yaml", "notes.yaml", "roles/etcd/tasks/main.yaml", "site.yaml"
    ]  # fmt: skip
    assert tools.files("actionlint") == tools.files("zizmor") == [".github/workflows/ci.yml"]
    assert tools.files("shellcheck") == ["bin/tool", "run.sh"]
    assert tools.files("ansible-lint") == ["roles/etcd/tasks/main.yaml", "site.yaml"]
    assert {each.name: each.why for each in lint.listed} == {
        "vendor/": Reason.VENDORED.value,
        "filled/in.yaml": Reason.TEMPLATED.value,
        "tsconfig.json": Reason.COMMENTED_JSON.value,
        "logo.png": Reason.BINARY.value,
        "main.go": Reason.NO_CHECKER.value,
    }
    assert lint.exit_code(strict=False) == 0
    assert lint.exit_code(strict=True) == 3


@pytest.mark.usefixtures("installed")
def test_every_file_is_checked_or_listed_exactly_once(tmp_path: Path) -> None:
    lint = lint_repository(write(tmp_path, MIXED), Tools(outputs={"helm": f"# Source: chart/templates/a.yaml\n{OBJECT}"}))

    assert sorted([*lint.checked, *(each.name for each in lint.listed)]) == sorted({*MIXED, "vendor/"} - {"vendor/bad.yaml"})
    counts = lint.summarize()
    assert sum(each["checked"] + each["not_checked"] for each in counts.values()) == len(MIXED)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("case", ["templated/.github/workflows/ci.yml", "templated/playbooks/install.yml"])
def test_broken_workflows_and_playbooks_are_wrong_though_they_hold_expressions(tmp_path: Path, case: str) -> None:
    inside = case.partition("/")[2]
    lint = lint_repository(write(tmp_path, {inside: (CASES / case).read_bytes()}), Tools())

    assert inside in next(each.detail for each in lint.checks if each.outcome is StepOutcome.FAIL)
    assert lint.exit_code(strict=False) == 1


@pytest.mark.usefixtures("installed")
def test_right_objects_are_right(tmp_path: Path) -> None:
    root = shutil.copytree(CASES / "objects", tmp_path / "repo", copy_function=shutil.copyfile)

    assert lint_repository(root, Tools()).exit_code(strict=True) == 0


@pytest.mark.usefixtures("installed")
def test_a_broken_workflow_is_not_given_to_a_tool_that_needs_whole_files(tmp_path: Path) -> None:
    tools = Tools()
    lint_repository(write(tmp_path, {".github/workflows/a.yml": "on: [\n"}), tools)

    assert (tools.files("actionlint"), tools.files("zizmor")) == ([".github/workflows/a.yml"], [])


@pytest.mark.usefixtures("installed")
def test_patches_of_a_kustomization_need_no_name(tmp_path: Path) -> None:
    patch = "apiVersion: apps/v1\nkind: Deployment\nspec: {}\n"
    files = {"k/kustomization.yaml": "patches:\n- path: p.yaml\n  target: {kind: Deployment}\n", "k/p.yaml": patch}

    assert lint_repository(write(tmp_path, files), Tools()).exit_code(strict=True) == 0
    assert lint_repository(write(tmp_path, {"q.yaml": patch}), Tools()).exit_code(strict=True) == 1


@pytest.mark.usefixtures("installed")
def test_what_the_configuration_of_yamllint_excludes_is_listed(tmp_path: Path) -> None:
    write(tmp_path, {".yamllint": "ignore: b.yaml\n", "a.yaml": "a: 1\n", "b.yaml": "a: 1\n"})

    lint = lint_repository(tmp_path, Tools(outputs={"yamllint": ".yamllint\na.yaml\n"}))

    assert [(each.name, each.check, each.why) for each in lint.listed] == [("b.yaml", "yamllint", Reason.TOOL_IGNORED.value)]
    assert lint.summarize()["yaml"] == {"checked": 3, "partly_checked": 1, "not_checked": 0}


@pytest.mark.usefixtures("installed")
def test_without_ansible_lint_the_result_is_not_green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise NotPossible("ansible-lint is not installed", remedy="make setup-lint")

    monkeypatch.setattr(playbooks, "ANSIBLE", replace(tools.ANSIBLE, path=missing))
    lint = lint_repository(write(tmp_path, {"site.yml": "- hosts: all\n"}), Tools())

    assert lint.exit_code(strict=False) == 3
    assert [(each["path"], each["check"], each["remedy"]) for each in lint.document(strict=False)["not_checked"]] == [
        ("site.yml", "ansible-lint", "make setup-lint")
    ]


@pytest.mark.parametrize(
    ("checks", "listed", "code", "strict_code"),
    [
        ([], [], 0, 0),
        ([StepOutcome.PASS, StepOutcome.SKIP], [], 0, 0),
        ([StepOutcome.UNKNOWN], [], 3, 3),
        ([StepOutcome.UNKNOWN, StepOutcome.FAIL], [], 1, 1),
        ([StepOutcome.PASS], [("yaml", Reason.ENCODING)], 3, 3),
        ([StepOutcome.PASS], [("yaml", Reason.TEMPLATED)], 0, 3),
        ([StepOutcome.PASS], [("other", Reason.BINARY), ("folder", Reason.VENDORED), ("go", Reason.NO_CHECKER)], 0, 0),
    ],
)
def test_exit_codes(checks: list[StepOutcome], listed: list[tuple[str, Reason]], code: int, strict_code: int) -> None:
    lint = Lint([Checked("a", each) for each in checks], {}, [Unchecked("x", kind, reason.value) for kind, reason in listed])

    assert (lint.exit_code(strict=False), lint.exit_code(strict=True)) == (code, strict_code)


def test_the_command_names_what_was_not_checked_in_text_and_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [Unchecked("a\nb.yaml", "yaml", Reason.TEMPLATED.value), Unchecked("main.go", "go", Reason.NO_CHECKER.value)]
    lint = Lint([Checked("yamllint", StepOutcome.PASS, "", 1)], {"c.yaml": "yaml"}, listed)
    monkeypatch.setattr(lint_command, "lint_repository", lambda _: lint)

    text = CliRunner().invoke(app, ["lint", str(tmp_path)])
    data = CliRunner().invoke(app, ["lint", str(tmp_path), "-o", "json", "--strict"])

    assert (text.exit_code, data.exit_code) == (0, 3)
    assert "a\\nb.yaml" in text.output
    document = json.loads(data.output)
    assert document["kinds"]["yaml"] == {"checked": 1, "partly_checked": 0, "not_checked": 1}
    assert {each["reason"] for each in document["not_checked"]} == {Reason.TEMPLATED.value.text, Reason.NO_CHECKER.value.text}


def test_a_folder_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["lint", str(tmp_path / "x")]).exit_code == 2


@pytest.mark.spawns
def test_real_tools_find_real_faults_and_no_others(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "a: 1\na: 2\n", "-rf.yaml": "a: 1  \n", "b c.yaml": "on: push\n"})
    write(tmp_path, {"bin/deploy": (CASES / "shebangs/bin/deploy").read_bytes(), "n\nl.sh": "#!/bin/sh\ncd $1 || exit\n"})
    write(tmp_path, {os.fsdecode(b"\xff.sh"): "#!/bin/sh\necho $1\n", "good": "#!/usr/bin/env -S bash -e\necho\n"})

    checks = {each.name: each for each in lint_repository(tmp_path).checks}

    assert 'duplication of key "a"' in checks["yamllint"].detail
    assert "-rf.yaml" not in checks["yamllint"].detail
    assert checks["shellcheck"].outcome is StepOutcome.FAIL
    assert all(name in checks["shellcheck"].detail for name in ("bin/deploy", "n\\nl.sh", "\\xff.sh"))
    assert "good" not in checks["shellcheck"].detail
