"""Faults: how a member is lost. Each is prepared before the applications are set up, and injected at T0."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from perf.faults import check_fault, parse_fault


@pytest.mark.parametrize("words", ["flood", "apiserver:member7", "link:member2", ""])
def test_a_fault_that_is_none_is_refused(words: str) -> None:
    with pytest.raises(UsageError):
        parse_fault(words)


def test_the_link_of_a_pull_member_cannot_be_cut() -> None:
    check_fault(parse_fault("link"), "push")
    with pytest.raises(UsageError, match="pull member"):
        check_fault(parse_fault("link"), "pull")


def test_a_fault_may_name_its_member() -> None:
    assert parse_fault("link:member1") is parse_fault("link")
