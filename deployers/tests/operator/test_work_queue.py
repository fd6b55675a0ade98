from __future__ import annotations

from deployers.operator.work_queue import LONGEST, WorkQueue, backoff

A, B = ("default", "a"), ("default", "b")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def make_queue() -> tuple[WorkQueue, Clock]:
    clock = Clock()
    return WorkQueue(clock=clock), clock


def test_what_is_due_first_is_taken_first_and_each_once() -> None:
    queue, clock = make_queue()
    queue.add(A, after=2.0)
    queue.add(B)
    queue.add(B, after=5.0)

    assert queue.take(0.0) == B
    assert queue.take(0.0) is None
    clock.now += 2
    assert queue.take(0.0) == A


def test_a_key_that_is_busy_waits_until_it_is_given_back() -> None:
    queue, _ = make_queue()
    queue.add(A)
    assert queue.take(0.0) == A
    queue.add(A)
    queue.add(B)

    assert queue.take(0.0) == B
    assert queue.take(0.0) is None
    queue.done(A)
    assert queue.take(0.0) == A


def test_pauses_double_up_to_five_minutes() -> None:
    pauses = [backoff(count, spread=lambda: 0.5) for count in (1, 2, 3, 4, 20)]

    assert pauses == [1.0, 2.0, 4.0, 8.0, LONGEST]
    assert backoff(1, spread=lambda: 0.0) < 1.0 < backoff(1, spread=lambda: 1.0)
