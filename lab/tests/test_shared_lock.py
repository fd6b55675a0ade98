from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.run import Run
from lab.shared_lock import hold_lab

Somebody = Callable[..., threading.Event]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("r1", {}, root=tmp_path)


@pytest.fixture
def somebody(run: Run) -> Iterator[Somebody]:
    """Starts a thread that waits for a turn and holds it until the test's end; returns an event that is set once it has it."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def start(*, alone: bool) -> threading.Event:
        has = threading.Event()

        def use() -> None:
            with hold_lab(run, alone=alone):
                has.set()
                over.wait(10)

        threads.append(threading.Thread(target=use, daemon=True))
        threads[-1].start()
        return has

    yield start
    over.set()
    for thread in threads:
        thread.join(10)


def test_those_who_leave_it_whole_share(run: Run, somebody: Somebody) -> None:
    with hold_lab(run):
        assert somebody(alone=False).wait(5)


def test_who_breaks_it_waits_for_the_others(somebody: Somebody) -> None:
    assert somebody(alone=False).wait(5)
    assert not somebody(alone=True).wait(0.1)


def test_the_others_wait_for_who_breaks_it(run: Run, somebody: Somebody) -> None:
    with hold_lab(run, alone=True):
        waiting = somebody(alone=False)
        assert not waiting.wait(0.1)
    assert waiting.wait(5)


def test_who_comes_later_does_not_pass_who_waits_to_be_alone(somebody: Somebody) -> None:
    assert somebody(alone=False).wait(5)
    assert not somebody(alone=True).wait(0.1)
    assert not somebody(alone=False).wait(0.1)


def test_a_turn_is_given_back_on_failure(run: Run) -> None:
    with pytest.raises(RuntimeError), hold_lab(run, alone=True):
        raise RuntimeError

    with hold_lab(run, alone=True):
        pass
