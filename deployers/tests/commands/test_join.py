"""`lab join`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.commands import join
from deployers.commands.join import JoinMode, JoinRequest, mode_of, require_effect
from lab.errors import UsageError


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"context": "c"}, "--context"),
        ({"key": "k"}, "--key"),
        ({"kubeconfig": Path("/k"), "known_hosts": "h"}, "--known-hosts"),
        ({"kubeconfig": Path("/k"), "sudo": True}, "--sudo"),
    ],
)
def test_an_option_without_the_one_that_it_belongs_to_is_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(UsageError, match=name):
        require_effect(JoinRequest(members=["east"], **options))


@pytest.mark.parametrize(
    "options",
    [{}, {"kubeconfig": Path("/k"), "context": "c"}, {"ssh": "host", "context": "c", "key": "k", "known_hosts": "h", "sudo": True}],
)
def test_options_that_belong_together_are_taken(options: dict[str, Any]) -> None:
    require_effect(JoinRequest(members=["east"], **options))


@pytest.mark.parametrize(
    ("said", "wanted", "mode"), [("push", None, "push"), ("pull", None, "pull"), ("none", None, "push"), ("none", "pull", "pull")]
)
def test_a_member_is_joined_as_its_lab_file_says(said: str, wanted: str | None, mode: str) -> None:
    assert mode_of("member1", said, JoinMode(wanted) if wanted else None) is JoinMode(mode)


def test_another_way_than_the_lab_file_says_is_refused() -> None:
    with pytest.raises(UsageError, match="by push"):
        mode_of("member1", "push", JoinMode.pull)


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ([], ["joined a by push, b by pull after 1.0 s"]),
        (["a"], ["a is joined already by push: nothing changed", "joined b by pull after 1.0 s"]),
        (["a", "b"], ["a is joined already by push: nothing changed", "b is joined already by pull: nothing changed"]),
    ],
)
def test_join_says_which_members_were_joined_already(before: list[str], lines: list[str]) -> None:
    assert join.outcome({"a": "push", "b": "pull"}, before, 1.0) == lines
