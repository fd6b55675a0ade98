"""Long texts are shortened in the middle, and it is said how much is omitted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.excerpt import EACH, LEAST, WINDOW, Budget, Window, shorten_text


def test_a_window_keeps_the_beginning_and_the_end() -> None:
    window = Window()
    for piece in ("a" * WINDOW, "b" * 4 * WINDOW, "c" * WINDOW):
        window.add(piece)

    assert window.text == "a" * WINDOW + "c" * WINDOW
    assert window.dropped == 4 * WINDOW


@given(st.text(min_size=2 * LEAST, max_size=4 * LEAST))
def test_a_shortened_text_says_how_much_it_lacks(text: str) -> None:
    short, lost = shorten_text(text, LEAST)

    assert f"{lost:,} characters omitted" in short
    assert LEAST // 2 <= len(text) - lost <= LEAST


def test_a_budget_leaves_short_texts_whole_and_counts_the_others() -> None:
    budget = Budget()

    assert budget.excerpt("short") == "short"
    assert budget.summary == ""
    assert len(budget.excerpt("x" * 2 * EACH)) < EACH + 100
    assert budget.cut == 1
    assert str(f"{budget.characters:,}") in budget.summary
