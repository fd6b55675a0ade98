"""Pictures of a trial as inline SVG: pure functions of its timeline and result. Colours are CSS classes of the page."""

from __future__ import annotations

from perf import picture
from perf.tests.trials import trial
from perf.timeline import build_timeline


def test_many_bindings_are_thinned_out_with_a_note() -> None:
    rows = [
        (100.0 + at, "binding", f"app-{number:05d}-deployment", state)
        for number in range(1000)
        for at, state in ((12.5, "- evicting=member1 ready="), (14.0, "member2:2 evicting= ready="))
    ]
    drawn, note = picture.draw_bindings(build_timeline(trial(rows)))

    assert note == "One in 3 of 1000 bindings is drawn."
    assert len(drawn) < 100_000
