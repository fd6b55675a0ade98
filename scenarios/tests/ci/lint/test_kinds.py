"""What a file is: by name, shebang and content."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.ci.lint import kinds
from scenarios.ci.lint.coverage import Reason
from scenarios.ci.lint.kinds import LintSource, Skipped, classify, read_shebang
from scenarios.tests.ci.lint.kinds_fakes import found
from scenarios.tests.ci.lint.lint_fakes import CASES, write


@pytest.mark.parametrize(
    "shebang",
    [
        "#!/bin/bash -e", "#!/usr/bin/env -S bash -euo pipefail", "#!/usr/bin/env bash", "#! /bin/sh", "#!/usr/local/bin/bash",
        "#!/bin/sh\r", "\ufeff#!/bin/bash", "#!/bin/dash", "#!/bin/ksh", "#!/usr/bin/ksh93", "#!/bin/busybox sh", "#!/usr/bin/env bats",
        "#!/usr/bin/env -i bash", "#!/usr/bin/env LC_ALL=C bash -e", "#!/usr/bin/env -u HOME sh", "#!/usr/bin/env --split-string=bash -e",
        "#!\t/bin/sh", "#!/nix/store/x-bash-5.2/bin/bash",
    ],
)  # fmt: skip
def test_shebangs_of_shells(tmp_path: Path, shebang: str) -> None:
    source = found(tmp_path, "tool", f"{shebang}\necho\n")

    assert isinstance(source, LintSource)
    assert source.kind == "shell"


@pytest.mark.parametrize("name", ["deploy", "clean", "control"])
def test_shebangs_with_options_are_scripts(name: str) -> None:
    source = classify(CASES / "shebangs", f"bin/{name}", [])

    assert isinstance(source, LintSource)
    assert (source.kind, source.shell_option) == ("shell", "")


@pytest.mark.parametrize(
    ("shebang", "option"), [("#!/usr/bin/env -i bash", "bash"), ("#!/usr/bin/env -S bash -e", ""), ("#!/usr/bin/env A=1 dash", "dash")]
)
def test_a_dialect_that_shellcheck_does_not_see_is_named_to_it(tmp_path: Path, shebang: str, option: str) -> None:
    source = found(tmp_path, "tool", f"{shebang}\n")

    assert isinstance(source, LintSource)
    assert source.shell_option == option


@pytest.mark.parametrize(
    ("name", "content", "executable", "option"),
    [
        ("lib.sh", "f() { :; }\n", False, "bash"),  # others source it
        ("run.sh", "f() { :; }\n", True, ""),  # shellcheck says that its shebang is missing
        ("lib.sh", "# shellcheck shell=dash\n", False, ""),
        ("lib.bash", "f\n", False, ""),
        ("t.bats", "@test x { :; }\n", False, ""),
        (".bashrc", "f\n", False, "bash"),
    ],
)
def test_shell_files_by_name(tmp_path: Path, name: str, content: str, executable: bool, option: str) -> None:
    source = found(tmp_path, name, content, executable=executable)

    assert isinstance(source, LintSource)
    assert (source.kind, source.shell_option) == ("shell", option)


def test_an_executable_without_a_shebang_is_listed(tmp_path: Path) -> None:
    assert found(tmp_path, "a", "echo\n", executable=True) == Skipped("other", Reason.NO_SHEBANG.value)
    assert found(tmp_path, "README", "echo\n", executable=False) == Skipped("text", Reason.NO_CHECKER.value)


def test_a_large_file_is_listed_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "LARGEST", 10)

    assert found(tmp_path, "a.yaml", "a: 12345678\n") == Skipped("yaml", Reason.TOO_LARGE.value)


def test_a_file_that_cannot_be_read_is_listed_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(kinds, "read_bytes", closed)

    skipped = found(tmp_path, "a.yaml", "a: 1\n")
    assert isinstance(skipped, Skipped)
    assert skipped.why.remedy


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_yaml_allows_are_read(tmp_path: Path, encoding: str) -> None:
    source = found(tmp_path, "a.yaml", "a: ü\n".encode(encoding))

    assert isinstance(source, LintSource)
    assert source.text == "a: ü\n"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        (".github/workflows/ci.yml", "on: push\n", "workflow"),
        ("sub/.github/workflows/ci.yaml", "on: push\n", "workflow"),
        (".github/actions/a/action.yml", "runs: {}\n", "action"),
        (".github/dependabot.yml", "version: 2\n", "yaml"),
        (".yamllint", "extends: default\n", "yaml"),
        ("a.YAML", "a: 1\n", "yaml"),
        ("a.json", "{}", "json"),
        ("tool", "#!/usr/bin/env python3\n", "python"),
        ("tool", "#!/usr/bin/env -S uv run --script\n", "python"),
        ("site", "#!/usr/bin/env ansible-playbook\n- hosts: all\n", "yaml"),
    ],
)
def test_kinds_by_name_and_shebang(tmp_path: Path, name: str, content: str, kind: str) -> None:
    source = found(tmp_path, name, content)

    assert isinstance(source, LintSource)
    assert source.kind == kind


def test_templates_are_those_of_charts(tmp_path: Path) -> None:
    write(tmp_path, {"c/templates/a.yaml": "{{ if }}", "d/templates/a.yaml": "a: 1\n"})

    assert classify(tmp_path, "c/templates/a.yaml", ["c"]) == LintSource("c/templates/a.yaml", "chart template")
    assert classify(tmp_path, "d/templates/a.yaml", ["c"]) == LintSource("d/templates/a.yaml", "yaml", "a: 1\n")


def test_no_shebang_is_no_command() -> None:
    assert read_shebang(b"") == read_shebang(b"#!") == read_shebang(b"echo #!/bin/sh\n") == ()
