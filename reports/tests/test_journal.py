"""What a journal tells of `up`: ascents, and the critical path through each."""

from __future__ import annotations

from pathlib import Path

from lab.steps import StepOutcome
from reports.journal import list_bring_ups, read_events
from reports.tests.results import steps

UP = steps(("a", 0.0, 4.0, []), ("b", 0.0, 1.0, []), ("c", 1.0, 2.0, ["b"]), ("d", 5.0, 9.0, ["a", "c"]), up=10.0)


def test_the_critical_path_is_the_chain_that_took_longest_with_what_it_waited() -> None:
    (up,) = list_bring_ups(UP)

    assert [(link.step.name, link.waited) for link in up.critical_path] == [("a", 0.0), ("d", 1.0)]
    assert (up.outcome, up.seconds, up.ended - up.began) == (StepOutcome.PASS, 10.0, 9.0)


def test_without_needs_there_is_no_critical_path_but_all_steps() -> None:
    (up,) = list_bring_ups([{key: value for key, value in event.items() if key != "needs"} for event in UP])

    assert up.critical_path == ()
    assert len(up.steps) == 4


def test_each_time_up_is_an_ascent_of_its_own() -> None:
    first, second, third = list_bring_ups([*UP, *steps(("a", 20.0, 21.0, []), error="no", kind="NotReady"), *steps(("a", 30.0, 30.5, []))])

    assert [up.outcome for up in (first, second, third)] == [StepOutcome.PASS, StepOutcome.FAIL, StepOutcome.PASS]
    assert (second.steps[0].error, second.steps[0].kind, second.steps[0].exit_code) == ("no", "NotReady", 4)


def test_steps_of_other_verbs_are_none_of_up() -> None:
    backup = [{**event, "step": "backup/described"} for event in steps(("b", 20.0, 21.0, []), error="no", kind="ProvisionError")[1:-1]]

    first, second = list_bring_ups([*UP, *backup, {"at": 22.0, "event": "change"}, *steps(("a", 30.0, 30.5, []))])

    assert (first.outcome, second.outcome) == (StepOutcome.PASS, StepOutcome.PASS)
    assert [step.name for step in second.steps] == ["a"]


def test_a_process_that_was_killed_leaves_unknown_steps() -> None:
    step = {"at": 1.0, "event": "begin", "step": "a", "needs": []}

    killed, again = list_bring_ups([step, {"at": 9.0, "event": "begun"}, {**step, "at": 9.0}])

    assert [killed.outcome, again.outcome] == [StepOutcome.UNKNOWN, StepOutcome.UNKNOWN]
    assert killed.steps[0].outcome is StepOutcome.UNKNOWN
    assert killed.critical_path == ()


def test_torn_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('[]\n{"event": "up"}\n{"at": 1, "event": "begin", "step": "a"}\n{"at": 2, "event": "en')

    assert [event["event"] for event in read_events(path)] == ["begin"]
    assert list(read_events(tmp_path / "not there")) == []
