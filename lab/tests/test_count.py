"""A number and its noun agree."""

from __future__ import annotations

import pytest

from lab.count import count


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "program", "1 program"),
        (0, "program", "0 programs"),
        (2, "crash", "2 crashes"),
        (2, "address", "2 addresses"),
        (3, "copy", "3 copies"),
        (3, "key", "3 keys"),
    ],
)
def test_a_number_and_its_noun_agree(number: int, noun: str, text: str) -> None:
    assert count(number, noun) == text
