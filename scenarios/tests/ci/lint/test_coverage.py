"""What was not checked, and why: every file of a repository is either checked or listed here by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.ci.lint.coverage import Reason
from scenarios.ci.lint.kinds import Skipped
from scenarios.tests.ci.lint.kinds_fakes import found


@pytest.mark.parametrize(
    ("name", "content", "kind", "reason"),
    [
        ("a", "#!/bin/zsh\n", "shell", Reason.SHELL_DIALECT),
        ("a", "#!/usr/bin/env fish\n", "shell", Reason.SHELL_DIALECT),
        ("a.zsh", "x\n", "shell", Reason.SHELL_DIALECT),
        ("a", "#!/usr/bin/python2.7\n", "python", Reason.PYTHON_2),
        ("a", "#!/usr/bin/perl -w\n", "perl", Reason.NO_CHECKER),
        ("a.go", "package a\n", "go", Reason.NO_CHECKER),
        ("a.yaml", b"a: \xe4\n", "yaml", Reason.ENCODING),
        ("a.sh", b"#!/bin/sh\necho \xe4\n", "shell", Reason.ENCODING),
        ("a.yaml", b"\x00\x01\x02", "yaml", Reason.BINARY),
        ("a", b"#!/bin/sh\necho \xe4\n", "shell", Reason.ENCODING),
        ("logos.pdf", b"%PDF-1.5\n%\xb5\xed\xae\xfb\n", "other", Reason.BINARY),
        ("a.png", b"\x89PNG\r\n\x1a\n\x00", "other", Reason.BINARY),
        ("a.yaml", "$ANSIBLE_VAULT;1.1;AES256\n6231\n", "yaml", Reason.ENCRYPTED),
        ("a.yml", b"\x00GITCRYPT\x00abc", "yaml", Reason.ENCRYPTED),
        ("a.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "yaml", Reason.LFS_POINTER),
        ("a.yaml.j2", "a: {{ b }}\n", "yaml", Reason.TEMPLATED),
        ("a.sh.tmpl", "x\n", "shell", Reason.TEMPLATED),
    ],
)
def test_what_cannot_be_checked_is_listed_with_its_kind_and_reason(
    tmp_path: Path, name: str, content: str | bytes, kind: str, reason: Reason
) -> None:
    assert found(tmp_path, name, content) == Skipped(kind, reason.value)
