"""`lab down`: what it takes away, for whom it waits, and what it says."""

from __future__ import annotations

import json
import signal

import pytest

import lab.take_down
from lab.commands import down
from lab.lock import Holder
from lab.tests.cli_fakes import World, invoke, world

__all__ = ["world"]


def test_down_and_down_keep(world: World) -> None:
    world.run()

    assert invoke("down", "--keep").code == 0
    assert invoke("down").code == 0
    assert world.taken == [True, False]


@pytest.mark.parametrize(
    ("argv", "signals"),
    [
        (("/usr/bin/python3", "/v/bin/lab", "up", "--lab", "blue"), [signal.SIGTERM, signal.SIGCONT]),
        (("python3", "-m", "lab", "up"), [signal.SIGTERM, signal.SIGCONT]),
        (("/v/bin/lab", "down", "--lab", "blue"), []),
        (("python3", "-m", "lab", "upgrade", "1.18.2"), []),
        (("python3", "-m", "pytest", "up"), []),
        ((), []),
    ],
)
def test_down_says_for_whom_it_waits_and_interrupts_up_alone(
    argv: tuple[str, ...], signals: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[int] = []

    def send(_pid: int, _started: int, number: int) -> bool:
        sent.append(number)
        return True

    monkeypatch.setattr("lab.proc.send_signal", send)
    holder = Holder(77, 5, argv, 42.0)
    down.end_holder("blue", holder, 0.0)
    assert "pid 77" in capsys.readouterr().err
    assert sent == signals
    down.end_holder("blue", holder, 5.0)
    assert sent == signals, "once"


def test_one_program_is_no_plural(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.take_down, "take_down", lambda run, **_: lab.take_down.TakeDownResult(1, kept=False))
    world.run()

    assert "1 program ended" in invoke("down").err


def test_down_of_nothing_is_fine(world: World) -> None:
    done = invoke("down", "-o", "json")

    assert done.code == 0
    assert json.loads(done.out)["programs"] == 0
    assert world.taken == []


def test_down_of_a_half_written_run_names_what_removes_it(world: World) -> None:
    (world.root / "default").mkdir(parents=True)
    done = invoke("down")

    assert done.code == 3
    assert "lab gc --lab default" in done.err
