"""What is no Python, checked: our workflows, and other people's repositories."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from lab.assets.command import Ran
from lab.errors import NotPossible
from lab.steps import Outcome
from scenarios import lint
from scenarios.lint import Checked, Tool, objects_wrong, repository

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


def written(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_yaml", ".yaml").replace("_sh", ".sh")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def by_name(checks: Sequence[Checked]) -> dict[str, Checked]:
    return {each.name: each for each in checks}


class Tools:
    """Programs that are all there, and say what a table says."""

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.ran: list[tuple[str, list[str]]] = []

    def __call__(self, argv: Sequence[str], **_: object) -> Ran:
        program = Path(argv[0]).name
        self.ran.append((program, list(argv[1:])))
        status = self.statuses.get(program, 0)
        return Ran(status, GOOD if argv[1] == "template" else "", f"{program} complains" if status else "")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("YAMLLINT", "SHELLCHECK", "ANSIBLE", "HELM"):
        tool: Tool = getattr(lint, name)
        monkeypatch.setattr(lint, name, Tool(tool.name, tool.words, partial(Path, "/tools", tool.name)))


@pytest.mark.usefixtures("there")
def test_each_kind_of_file_is_shown_to_its_tool_and_nobody_else_s(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        deploy__a_yaml=GOOD,
        run_sh="#!/bin/sh\n",
        bin__tool="#!/usr/bin/env bash\n",
        bin__other="#!/usr/bin/env python3\n",
        site_yaml="- hosts: all\n  tasks: []\n",
        roles__etcd__tasks__main_yaml="- name: x\n",
        chart__Chart_yaml="name: chart\nversion: 1.0.0\napiVersion: v2\n",
        chart__templates__a_yaml="{{ if }}",
        vendor__bad_yaml="a: [",
        filled__in_yaml="a: {{ca}}",
    )
    tools = Tools()

    checks = by_name(repository(root, tools))

    shown = {program: words for program, words in tools.ran if words[0] != "template"}
    assert [word for word in shown["yamllint"] if word.endswith("yaml")] == [
        "chart/Chart.yaml", "deploy/a.yaml", "roles/etcd/tasks/main.yaml", "site.yaml"
    ]  # fmt: skip
    assert shown["shellcheck"] == ["bin/tool", "run.sh"]
    assert shown["ansible-lint"][-2:] == ["roles/etcd/tasks/main.yaml", "site.yaml"]
    assert ("helm", ["template", "release", str(root / "chart")]) in tools.ran
    assert {each.outcome for each in checks.values()} == {Outcome.PASS}


@pytest.mark.usefixtures("there")
def test_what_a_tool_complains_of_is_a_failure_in_its_words(tmp_path: Path) -> None:
    checks = by_name(repository(written(tmp_path, a_yaml=GOOD), Tools(yamllint=1)))

    assert (checks["yamllint"].outcome, checks["yamllint"].told) == (Outcome.FAIL, "yamllint complains")
    assert checks["manifests"].outcome is Outcome.PASS


@pytest.mark.usefixtures("there")
def test_what_is_not_there_is_skipped_and_says_so(tmp_path: Path) -> None:
    assert {each.outcome for each in repository(tmp_path, Tools())} == {Outcome.SKIP}


def test_a_tool_that_is_not_here_makes_its_check_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise NotPossible("it is not here", remedy="install it")

    monkeypatch.setattr(lint, "SHELLCHECK", Tool("shellcheck", (), missing))

    found = by_name(repository(written(tmp_path, run_sh="#!/bin/sh\n"), Tools()))["shellcheck"]

    assert (found.outcome, found.told) == (Outcome.UNKNOWN, "it is not here: install it")


@pytest.mark.usefixtures("there")
def test_a_chart_whose_dependencies_are_not_there_is_unknown(tmp_path: Path) -> None:
    chart = "name: c\nversion: 1.0.0\ndependencies:\n  - name: common\n    version: 1.x.x\n"

    found = by_name(repository(written(tmp_path, chart__Chart_yaml=chart), Tools()))["helm chart"]

    assert found.outcome is Outcome.UNKNOWN
    assert "common" in found.told


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (GOOD, ""),
        (f"---\n{GOOD}---\n", ""),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "without metadata.name"),
        ("apiVersion: v1\nkind: ConfigMapList\nitems: []\n", ""),
        ("apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n", ""),
        ("apiVersion: v1\nkind: ConfigMap\n  metadata: x\n", "mapping values"),
        ("- a\n", "is no object"),
    ],
)
def test_objects_are_whole_and_named(text: str, wrong: str) -> None:
    assert wrong in " ".join(objects_wrong(text))
    assert bool(list(objects_wrong(text))) is bool(wrong)


@pytest.mark.spawns
def test_real_tools_find_real_faults(tmp_path: Path) -> None:
    root = written(tmp_path, a_yaml="a: 1\na: 2\n", run_sh="#!/bin/sh\ncd $1\n")

    checks = by_name(repository(root))

    assert 'duplication of key "a"' in checks["yamllint"].told
    assert "SC2086" in checks["shellcheck"].told
