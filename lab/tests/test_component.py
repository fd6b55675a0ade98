"""Components as data: flags are layered, rendered sorted, dropped by None."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lab.component import Component, render_flags

FLAGS = st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.none() | st.text(max_size=5) | st.lists(st.text(max_size=5)))


@given(FLAGS)
def test_the_order_of_flags_never_matters(flags: dict[str, str | list[str] | None]) -> None:
    assert render_flags(flags) == render_flags(dict(reversed(list(flags.items()))))


@given(FLAGS, FLAGS)
def test_the_upper_layer_wins(lower: dict[str, str | list[str] | None], upper: dict[str, str | list[str] | None]) -> None:
    component = Component("c", Path("/bin/c"), lower).changed(flags=upper)

    assert list(component.argv[1:]) == render_flags({**lower, **upper})


def test_none_drops_and_a_list_repeats() -> None:
    assert render_flags({"b": ["1", "2"], "a": None, "c": "x"}) == ["--b=1", "--b=2", "--c=x"]
