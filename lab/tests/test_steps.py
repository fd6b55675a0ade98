"""Steps: order from needs, everything that can overlap does, a failure starts nothing new."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import NotPossible, ProvisionError
from lab.run import Run
from lab.steps import Execution, Step, StepFailed, StepObserver, compute_waves, execute


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("steps", {}, root=tmp_path)


@given(st.integers(min_value=1, max_value=25).flatmap(lambda n: st.lists(st.sets(st.integers(0, n)), min_size=n, max_size=n)))
def test_order_respects_every_need(needs: list[set[int]]) -> None:
    steps = [Step(str(n), lambda: None, tuple(str(m) for m in wanted if m < n)) for n, wanted in enumerate(needs)]

    waves = compute_waves(reversed(steps))

    position = {step.name: number for number, wave in enumerate(waves) for step in wave}
    assert len(position) == len(steps)
    assert all(position[need] < position[step.name] for step in steps for need in step.needs)


def test_a_cycle_is_named() -> None:
    with pytest.raises(ValueError, match="a, b"):
        compute_waves([Step("a", lambda: None, ("b",)), Step("b", lambda: None, ("a",))])


def test_an_unknown_need_is_named() -> None:
    with pytest.raises(ValueError, match="a needs ghost"):
        compute_waves([Step("a", lambda: None, ("ghost",))])


def test_two_of_a_name_are_refused() -> None:
    with pytest.raises(ValueError, match="steps"):
        compute_waves([Step("a", lambda: None), Step("a", lambda: None)])


def test_independent_steps_overlap(run: Run) -> None:
    both = threading.Barrier(2, timeout=10)

    execute([Step("a", both.wait), Step("b", both.wait)], run)


def test_a_failure_starts_nothing_new_and_tells_all(run: Run) -> None:
    ran: list[str] = []

    def fails() -> None:
        raise NotPossible("no", remedy="do this")

    with pytest.raises(StepFailed) as failed:
        execute([Step("a", fails), Step("b", lambda: ran.append("b"), ("a",)), Step("c", lambda: ran.append("c"), ("b",))], run)

    assert ran == []
    assert failed.value.exit_code == NotPossible.exit_code
    assert failed.value.not_started == ("b", "c")
    assert "do this" in str(failed.value)


def test_a_bug_passes_through_with_its_own_type(run: Run) -> None:
    with pytest.raises(ZeroDivisionError):
        execute([Step("a", lambda: 1 // 0)], run)


def test_every_failure_of_a_wave_is_reported(run: Run) -> None:
    both = threading.Barrier(2, timeout=10)

    def fails() -> None:
        both.wait()
        raise ProvisionError("broken")

    with pytest.raises(StepFailed) as failed:
        execute([Step("a", fails), Step("b", fails)], run)

    assert set(failed.value.failures) == {"a", "b"}


def test_intent_and_outcome_are_journalled(run: Run) -> None:
    execute([Step("a", lambda: None)], run)

    assert [(event["event"], event.get("outcome")) for event in run.events()] == [("begin", None), ("end", "pass")]


def test_the_watcher_hears_what_is_left(run: Run) -> None:
    heard: list[int] = []

    class Ear(StepObserver):
        def ends(self, step: Step, *, seconds: float, error: BaseException | None, left: int) -> None:
            heard.append(left)

    execute([Step("a", lambda: None), Step("b", lambda: None, ("a",)), Step("c", lambda: None, ("b",))], run, watcher=Ear())

    assert heard == [2, 1, 0]


def test_no_more_heavy_steps_run_at_once_than_there_are_processors(run: Run) -> None:
    at_once, most, lock = 0, 0, threading.Lock()
    two = threading.Barrier(Execution.processors, timeout=10)

    def works() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        two.wait()
        with lock:
            at_once -= 1

    execute([Step(str(n), works, cpu_bound=True) for n in range(2 * Execution.processors)], run)

    assert most == Execution.processors


def test_a_heavy_step_lets_those_before_it_begin(run: Run) -> None:
    began: list[str] = []

    def heavy(name: str, first: int, *needs: str) -> Step:
        return Step(name, lambda: began.append(name), needs, priority=first, cpu_bound=True)

    execute([heavy("last", 0), Step("light", lambda: None), heavy("foremost", -1, "light")], run)

    assert began == ["foremost", "last"]


def test_heavy_steps_that_need_each_other_the_wrong_way_round_still_run(run: Run) -> None:
    began: list[str] = []

    execute(
        [Step("b", lambda: began.append("b"), ("a",), priority=-1, cpu_bound=True), Step("a", lambda: began.append("a"), cpu_bound=True)],
        run,
    )

    assert began == ["a", "b"]
