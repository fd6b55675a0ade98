"""Ranges in names of hosts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.inventory.ranges import expand_ranges, split_port

PLAIN = st.text("abcxyz0123456789.-", max_size=8)


@given(PLAIN, st.integers(0, 200), st.integers(0, 30), st.integers(1, 7), PLAIN)
def test_a_range_of_numbers_has_both_its_ends_and_its_step(before: str, low: int, length: int, step: int, after: str) -> None:
    names = expand_ranges(f"{before}[{low}:{low + length}:{step}]{after}")

    assert names == [f"{before}{number}{after}" for number in range(low, low + length + 1, step)]


@given(st.integers(1, 4), st.integers(0, 9), st.integers(0, 9))
def test_leading_zeros_pad_every_number(zeros: int, low: int, length: int) -> None:
    width = zeros + 1
    if low + length >= 10**width:
        return
    names = expand_ranges(f"n[{low:0{width}}:{low + length:0{width}}]")

    assert {len(name) for name in names} == {width + 1}
    assert [int(name[1:]) for name in names] == list(range(low, low + length + 1))


@given(PLAIN)
def test_a_name_without_a_range_is_itself(name: str) -> None:
    assert expand_ranges(name) == [name]


def test_ranges_are_combined_the_last_one_turning_first() -> None:
    assert expand_ranges("r[1:2]-[a:b].x") == ["r1-a.x", "r1-b.x", "r2-a.x", "r2-b.x"]


@pytest.mark.parametrize(
    "pattern", ["n[2:1]", "n[a:1]", "n[01:100]", "n[1:2:0]", "n[", "n]", "n[1:2", "n[1:9][1:9999]", "n[0:99999999999]"]
)
def test_what_is_no_range_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"n|range"):
        expand_ranges(pattern)


@given(st.text(max_size=30))
def test_any_text_is_expanded_or_refused(text: str) -> None:
    try:
        pattern, port = split_port(text)
        assert all(isinstance(name, str) for name in expand_ranges(pattern))
        assert not port or port.isdigit()
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("text", "pair"),
    [("a", ("a", "")), ("a:22", ("a", "22")), ("a[1:3]:22", ("a[1:3]", "22")), ("[::1]:22", ("::1", "22")), ("fe80::1", ("fe80::1", ""))],
)
def test_a_port_is_after_the_colon_that_is_in_no_range_and_no_address(text: str, pair: tuple[str, str]) -> None:
    assert split_port(text) == pair
