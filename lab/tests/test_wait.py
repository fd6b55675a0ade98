"""The one wait: it ends in one of three ways, and says what it saw last."""

from __future__ import annotations

import threading

import pytest

from lab import wait
from lab.errors import NotReady, WaitBlocked
from lab.wait import Cancelled, NotYet, SystemClock, examine_stalls, until, watch_interrupt


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept.append(seconds)


def test_returns_what_the_probe_returns_without_sleeping() -> None:
    clock = FakeClock()

    assert until(lambda: 7, what="seven", within=1, clock=clock) == 7
    assert clock.slept == []


def test_pauses_double_up_to_the_limit() -> None:
    clock = FakeClock()
    answers = iter([NotYet("a"), NotYet("a"), NotYet("a"), NotYet("a"), "done"])

    def probe() -> str:
        answer = next(answers)
        if isinstance(answer, NotYet):
            raise answer
        return str(answer)

    assert until(probe, what="done", within=60, first=0.1, every=0.3, clock=clock) == "done"
    assert clock.slept == pytest.approx([0.1, 0.2, 0.3, 0.3])


def test_time_out_tells_the_last_thing_seen_and_since_when() -> None:
    clock = FakeClock()

    def probe() -> None:
        raise NotYet("3 of 10 pods" if clock.time >= 2 else "1 of 10 pods")

    with pytest.raises(NotReady) as late:
        until(probe, what="pods run", within=5, first=1, every=1, clock=clock)

    assert late.value.last == "3 of 10 pods"
    assert late.value.within == 5
    assert late.value.unchanged_for == pytest.approx(3)
    assert clock.time <= 5


def test_never_asks_after_the_deadline() -> None:
    clock = FakeClock()
    asked: list[float] = []

    def probe() -> None:
        asked.append(clock.time)
        raise NotYet("no")

    with pytest.raises(NotReady):
        until(probe, what="never", within=1, first=0.4, every=0.4, clock=clock)

    assert max(asked) <= 1


def test_other_errors_pass_at_once() -> None:
    clock = FakeClock()

    def probe() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        until(probe, what="never", within=1, clock=clock)
    assert clock.slept == []


def test_an_interrupt_ends_every_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "CANCELLED", type("Set", (), {"wait": lambda self, seconds: True})())

    with pytest.raises(Cancelled):
        SystemClock().sleep(100)


def test_an_interrupt_ends_work_that_began_before_it_and_not_what_cleans_up_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "CANCELLED", threading.Event())
    before = watch_interrupt()
    assert not before()

    wait.CANCELLED.set()
    after = watch_interrupt()

    assert before()
    assert not after()


class Block:
    """An examiner with a fixed answer."""

    def __init__(self, cause: str) -> None:
        self.cause = cause
        self.asked = 0

    def find_block(self) -> str:
        self.asked += 1
        return self.cause


def fail_always() -> None:
    raise NotYet("a")


def test_a_stalled_wait_ends_early_with_the_cause() -> None:
    clock = FakeClock()

    with examine_stalls(Block("member1/kwok is stopped")), pytest.raises(WaitBlocked) as blocked:
        until(fail_always, what="pods run", within=100, clock=clock)

    assert blocked.value.cause == "member1/kwok is stopped"
    assert clock.time < 10


def test_a_wait_that_may_end_well_goes_on() -> None:
    examiner = Block("")

    with examine_stalls(examiner), pytest.raises(NotReady):
        until(fail_always, what="pods run", within=20, clock=FakeClock())

    assert examiner.asked > 1


def test_nothing_is_examined_while_the_state_changes() -> None:
    examiner, clock = Block("broken"), FakeClock()

    def count_up() -> None:
        raise NotYet(str(clock.time))

    with examine_stalls(examiner), pytest.raises(NotReady):
        until(count_up, what="pods run", within=20, clock=clock)

    assert examiner.asked == 0
