from __future__ import annotations

import pytest

from reports.links import WorkflowLinks

GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "karmada-io/karmada-lab"}


def test_a_workflow_links_its_run_and_its_commits() -> None:
    links = WorkflowLinks.from_environment(GITHUB)

    assert links.run("812") == "https://github.com/karmada-io/karmada-lab/actions/runs/812"
    assert links.commit("24c5758") == "https://github.com/karmada-io/karmada-lab/commit/24c5758"


@pytest.mark.parametrize(
    "env",
    [{}, {**GITHUB, "GITHUB_SERVER_URL": "javascript:alert(1)"}, {**GITHUB, "GITHUB_REPOSITORY": "a/b/../c"}, {"GITHUB_REPOSITORY": "a/b"}],
)
def test_elsewhere_there_are_no_links(env: dict[str, str]) -> None:
    links = WorkflowLinks.from_environment(env)
    assert (links.run("812"), links.commit("24c5758")) == ("", "")


def test_what_is_no_run_and_no_commit_has_no_link() -> None:
    links = WorkflowLinks.from_environment(GITHUB)
    assert (links.run("local"), links.commit("main")) == ("", "")
