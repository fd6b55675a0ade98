"""Components as data: flags are layered, rendered sorted, dropped by None."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.component import Component, parse_flags, render_flags

FLAGS = st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.none() | st.text(max_size=5) | st.lists(st.text(max_size=5)))


@settings(deadline=None)  # a busy computer makes one example slow
@given(FLAGS)
def test_the_order_of_flags_never_matters(flags: dict[str, str | list[str] | None]) -> None:
    assert render_flags(flags) == render_flags(dict(reversed(list(flags.items()))))


@given(FLAGS, FLAGS)
def test_the_upper_layer_wins(lower: dict[str, str | list[str] | None], upper: dict[str, str | list[str] | None]) -> None:
    component = Component("c", Path("/bin/c"), lower).changed(flags=upper)

    assert list(component.argv[1:]) == render_flags({**lower, **upper})


def test_none_drops_and_a_list_repeats() -> None:
    assert render_flags({"b": ["1", "2"], "a": None, "c": "x"}) == ["--b=1", "--b=2", "--c=x"]


GIVEN = st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=5) | st.lists(st.text(max_size=5), min_size=2))


@given(GIVEN)
def test_rendered_flags_parse_to_the_same_flags(flags: dict[str, str | list[str]]) -> None:
    assert parse_flags(render_flags(flags), strict=True) == flags


def test_a_value_may_be_the_next_argument_and_other_arguments_are_skipped() -> None:
    words = ["/bin/etcd", "--name", "etcd0", "--quiet", "--a=b", "--a=c"]

    assert parse_flags(words) == {"name": "etcd0", "quiet": "true", "a": ["b", "c"]}
    with pytest.raises(ValueError, match="/bin/etcd"):
        parse_flags(words, strict=True)
