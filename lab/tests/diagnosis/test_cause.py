"""Causes are ordered from the disk up to the workload."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.diagnosis.cause import Cause, Rank, sort_causes

CAUSES = st.lists(st.builds(Cause, st.sampled_from(Rank), st.text(min_size=1)))


@settings(deadline=None)
@given(CAUSES)
def test_causes_are_sorted_by_rank_and_each_text_stays_once(causes: list[Cause]) -> None:
    found = sort_causes(causes)

    assert [cause.rank for cause in found] == sorted(cause.rank for cause in found)
    assert {cause.text for cause in found} == {cause.text for cause in causes}
    assert len({cause.text for cause in found}) == len(found)


def test_the_subject_is_the_first_word() -> None:
    assert Cause(Rank.PROGRAM, "member1/kwok is stopped").subject == "member1/kwok"
