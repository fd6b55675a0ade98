"""Long commands: what they print is kept, and an interrupt is theirs, too."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from lab.interrupt import Interrupted
from scenarios.kit import run_command as module
from scenarios.kit.run_command import run_command


@pytest.mark.spawns
def test_a_commands_output_is_kept_and_its_status_returned(tmp_path: Path) -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    assert run_command([sys.executable, "-c", program], tmp_path / "logs" / "x.log") == 3
    assert sorted((tmp_path / "logs" / "x.log").read_text().split()) == ["err", "out"]


@pytest.mark.spawns
def test_a_line_that_has_not_ended_is_seen_already(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    program = "import pathlib, sys, time\nprint('.', end='', flush=True)\nlog = pathlib.Path(sys.argv[1])\n"
    program += "while log.read_text() != '.': time.sleep(0.01)\n"

    assert run_command(["timeout", "30", sys.executable, "-c", program, str(log)], log) == 0


@pytest.mark.spawns
def test_a_daemon_that_holds_the_output_open_is_not_waited_for(tmp_path: Path) -> None:
    program = "import subprocess, sys; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"
    began = time.monotonic()

    assert run_command([sys.executable, "-c", program], tmp_path / "x.log") == 0

    assert time.monotonic() - began < 30
    import os

    os.kill(int((tmp_path / "x.log").read_text()), signal.SIGKILL)


@pytest.mark.spawns
def test_an_interrupted_command_gets_one_signal_and_may_finish(tmp_path: Path) -> None:
    program = (
        "import signal, sys, time\n"
        "def stop(number, frame):\n    print('stopping'); sys.exit(128 + number)\n"
        "signal.signal(signal.SIGTERM, stop)\nprint('ready', flush=True)\ntime.sleep(60)\n"
    )
    log = tmp_path / "x.log"

    def interrupt(_number: int, _frame: object) -> None:
        if b"ready" not in (log.read_bytes() if log.exists() else b""):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            return
        raise Interrupted(signal.SIGTERM)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupted):
            run_command([sys.executable, "-c", program], log)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert log.read_text().split() == ["ready", "stopping"]


@pytest.mark.spawns
def test_a_command_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)

    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupted(signal.SIGINT)

    program = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)\n"
    before = signal.signal(signal.SIGALRM, interrupt)
    began = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.0)
        with pytest.raises(Interrupted):
            run_command([sys.executable, "-c", program], tmp_path / "x.log")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 30
