"""Every tool is installed, unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from scenarios.ci.lint import charts, playbooks, scripts, tools, workflows, yaml_files


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (charts, playbooks, scripts, workflows, yaml_files):
        for name in ("YAMLLINT", "SHELLCHECK", "ACTIONLINT", "ZIZMOR", "ANSIBLE", "HELM"):
            if hasattr(module, name):
                tool = getattr(tools, name)
                monkeypatch.setattr(module, name, replace(tool, path=partial(Path, "/tools", tool.name)))
