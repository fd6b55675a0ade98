"""Known values are found in every form, whole, cut or wrapped, and ordinary words stay."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.masking.mask import mask
from lab.masking.mask_text import MASK
from lab.masking.secret_values import index_values


def test_neighbours_of_a_value_stay() -> None:
    known = index_values(["s3cr3t-value-1234"])

    assert mask("the value s3cr3t-value-1234 of member1 s3cr3t-other", known) == f"the value {MASK} of member1 s3cr3t-other"


@pytest.mark.parametrize(
    "cut",
    [
        "'Zk4jW8qLmP2xT6vB9nR3...",
        "...mP2xT6vB9nR3yH7dF5sA'",
        "E  - Zk4jW8qLmP2xT",
        "Skipping 20 identical leading characters\nE   vB9nR3yH7dF5sA",
    ],
)
def test_a_part_of_a_value_that_was_cut_is_masked(cut: str) -> None:
    known = index_values(["Zk4jW8qLmP2xT6vB9nR3yH7dF5sA"])

    masked = mask(cut, known)

    assert not any(part in masked for part in ("Zk4jW8q", "mP2xT", "R3yH7", "dF5sA"))


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 400), min_size=1, max_size=8))
@example(cuts=[1])
def test_a_value_across_blocks_is_found(cuts: list[int]) -> None:
    from lab.masking import known_values as module

    known = index_values(["s3cr3t-value-1234"])
    text = "".join(f"{'x' * cut} s3cr3t-value-1234 " for cut in cuts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", 64)
        assert mask(text, known).count(MASK) == len(cuts)


def test_time_grows_with_the_text_and_not_with_the_number_of_values(capsys: pytest.CaptureFixture[str]) -> None:
    """A factor of four in the text is well below the factor of sixteen that anything quadratic would take."""
    line = 'I1020 10:00:00.000000 1 controller.go:77] "Reconciled" work="karmada-es-member1/nginx-%d" took="3ms"\n'
    few, many = index_values(["s3cr3t-value-1234"]), index_values([f"s3cr3t-value-{number * 7919:08}-x" for number in range(200)])
    texts = ["".join(line % number for number in range(count)) for count in (5_000, 20_000)]

    def seconds(known: Any, text: str) -> float:
        took = []
        for _ in range(3):
            began = time.process_time()
            known.mask(text, MASK)
            took.append(time.process_time() - began)
        return min(took)

    short, long, all_of_them = seconds(few, texts[0]), seconds(few, texts[1]), seconds(many, texts[1])

    with capsys.disabled():
        print(f" {len(texts[1]) / 1e6 / long:.0f} MB/s for one value, {len(texts[1]) / 1e6 / all_of_them:.0f} MB/s for 200", end=" ")
    assert long < 10 * short + 0.05
    assert all_of_them < 6 * long + 0.05
