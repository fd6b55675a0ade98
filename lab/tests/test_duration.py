from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.duration import duration_text, parse_duration, parse_positive_duration
from lab.tests.cli_fakes import World, invoke, world

__all__ = ["world"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("6h", 21600), ("1d", 86400), ("1.5d", 129600), ("90", 90), ("0", 0), ("0.5", 0.5), (" 5m ", 300)],
)
def test_a_duration_is_a_number_and_a_unit_or_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "-1h",
        "1w",
        "1 d",
        "1D",
        "5min",
        "1h30m",
        "inf",
        "nan",
        "1e9",
        "٣s",
        "²d",
        "1_000",
        "9" * 400,
        "99999999999d",
        "0x10",
        ".5h",
        "5.s",
    ],
)
def test_what_is_no_duration_is_refused_with_the_ways_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration") as caught:
        parse_duration(text)
    assert str(caught.value) == f"invalid duration {text!r}: use 90s, 30m, 6h or 1d"


@pytest.mark.parametrize("text", ["0", "0h", "0.0d"])
def test_where_none_makes_no_sense_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than 0"):
        parse_positive_duration(text)


@given(st.text())
def test_any_text_is_a_duration_of_at_most_a_century_or_refused(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 <= seconds <= 100 * 365 * 86400


@given(st.integers(0, 10**6), st.sampled_from("smhd"))
def test_a_duration_is_printed_as_it_can_be_read(count: int, unit: str) -> None:
    seconds = min(parse_duration(f"{count % 30000}{unit}"), 10.0**9)
    assert parse_duration(duration_text(seconds)) == seconds


def test_thirty_days_are_printed_in_days() -> None:
    assert [duration_text(30 * 86400.0), duration_text(90.0), duration_text(7200.0), duration_text(0.0)] == ["30d", "90s", "2h", "0s"]


@pytest.mark.parametrize(
    "words",
    [
        ("restart", "member1/etcd", "--timeout", "soon"),
        ("restart", "member1/etcd", "--timeout", "0"),
        ("renew", "--expires-within", "30 days"),
        ("etcd", "renew", "--expires-within", "-1d"),
        ("backup", "--to", "/nowhere", "--every", "0h"),
        ("assets", "prune", "--unused-for", "1w"),
        ("images", "prune", "--unused-for", "nan"),
    ],
)
def test_every_option_that_takes_a_duration_refuses_what_is_none(world: World, words: tuple[str, ...]) -> None:
    done = invoke(*words)
    assert done.code == 2
    assert "invalid duration" in done.err


@pytest.mark.parametrize("words", [("renew", "--within", "30"), ("restart", "x/y", "--within", "9"), ("assets", "prune", "--unused", "30")])
def test_a_duration_without_a_unit_is_refused(world: World, words: tuple[str, ...]) -> None:
    assert invoke(*words).code == 2
