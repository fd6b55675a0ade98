"""Playbooks: recognised by content, checked with stand-ins for modules that are not installed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.assets.command import CommandResult
from lab.steps import StepOutcome
from scenarios.ci.lint.documents import read_yaml
from scenarios.ci.lint.playbooks import check_playbooks, is_playbook
from scenarios.tests.ci.lint.lint_fakes import CASES, Tools, write

pytestmark = pytest.mark.usefixtures("installed")


def issue(text: str, path: str = "site.yml", rule: str = "rule") -> dict[str, object]:
    return {"check_name": rule, "description": text, "severity": "major", "location": {"path": path, "lines": {"begin": 3}}}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("site.yml", "- hosts: all\n", True),
        ("site.yml", "- import_playbook: a.yml\n- hosts: '{{ b }}'\n", True),
        ("roles/a/tasks/main.yml", "- debug:\n", True),
        ("collections/x/roles/a/handlers/sub/main.yml", "- debug:\n", True),
        ("roles/a/templates/tasks.yml", "- debug:\n", False),
        ("roles/a/defaults/main.yml", "a: 1\n", False),
        ("list.yml", "- a: 1\n", False),
        ("hosts.yml", "hosts: all\n", False),
    ],
)
def test_playbooks_are_recognised(name: str, text: str, expected: bool) -> None:
    assert is_playbook(name, text, read_yaml(text)) is expected


def test_a_playbook_that_does_not_parse_is_one_by_its_text() -> None:
    assert is_playbook("site.yml", "- name: a\n  hosts: all\n  tasks: [\n", [])
    assert is_playbook("playbooks/install.yml", (CASES / "templated/playbooks/install.yml").read_text(), [])


def test_issues_are_failures_with_their_place(tmp_path: Path) -> None:
    checked = check_playbooks(["site.yml"], tmp_path, Tools({"ansible-lint": 2}, {"ansible-lint": json.dumps([issue("bad")])}))

    assert (checked.outcome, checked.detail) == (StepOutcome.FAIL, "site.yml:3: rule: bad")


def test_modules_that_are_not_installed_get_stand_ins_and_are_listed(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"site.yml": "- hosts: all\n  tasks:\n  - kubernetes.core.k8s: {}\n  - kubernetes.core.helm: {}\n", "b.yml": "- hosts: a\n"},
    )
    runs: list[tuple[list[str], list[str]]] = []

    def run(argv: Sequence[str], **_: object) -> CommandResult:
        configuration = json.loads(Path(argv[argv.index("-c") + 1]).read_text())
        runs.append((configuration["mock_modules"], list(argv[argv.index("--") + 1 :])))
        if configuration["mock_modules"]:
            return CommandResult(0, "[]", "")
        return CommandResult(2, json.dumps([issue("couldn't resolve module/action 'kubernetes.core.k8s'. This often")]), "")

    checked = check_playbooks(["b.yml", "site.yml"], tmp_path, run)

    assert runs == [([], ["b.yml", "site.yml"]), (["kubernetes.core.helm", "kubernetes.core.k8s"], ["site.yml"])]
    assert checked.outcome is StepOutcome.PASS
    assert [(each.name, each.fixable) for each in checked.unchecked] == [("site.yml", False)]


@pytest.mark.parametrize("text", ["couldn't resolve module/action 'ansible.builtin.coppy'", "couldn't resolve module/action 'coppy'"])
def test_a_module_that_ansible_itself_lacks_is_a_fault(tmp_path: Path, text: str) -> None:
    tools = Tools({"ansible-lint": 2}, {"ansible-lint": json.dumps([issue(text)])})

    assert check_playbooks(["site.yml"], tmp_path, tools).outcome is StepOutcome.FAIL


def test_with_a_configuration_of_its_own_a_missing_collection_leaves_the_playbook_unchecked(tmp_path: Path) -> None:
    write(tmp_path, {".ansible-lint": "profile: min\n", "site.yml": "- hosts: all\n"})
    tools = Tools({"ansible-lint": 2}, {"ansible-lint": json.dumps([issue("couldn't resolve module/action 'a.b.c'")])})

    checked = check_playbooks(["site.yml"], tmp_path, tools)

    assert (checked.outcome, len(tools.ran), [each.fixable for each in checked.unchecked]) == (StepOutcome.UNKNOWN, 1, [True])


@pytest.mark.parametrize(("status", "output"), [(1, ""), (2, "no json"), (-9, "")])
def test_a_crash_is_unknown(tmp_path: Path, status: int, output: str) -> None:
    assert check_playbooks(["a.yml"], tmp_path, Tools({"ansible-lint": status}, {"ansible-lint": output})).outcome is StepOutcome.UNKNOWN


def test_a_name_that_cannot_be_printed_is_listed(tmp_path: Path) -> None:
    checked = check_playbooks(["a\nb.yml"], tmp_path, Tools())

    assert [each.name for each in checked.unchecked] == ["a\nb.yml"]
