"""Signals end a command in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from lab import interrupt


@pytest.mark.spawns
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_raises_once_and_the_second_one_ends_the_process_with_a_word(number: signal.Signals, code: int, held: bool) -> None:
    program = (
        "import os, signal, sys\nfrom lab import interrupt\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job of a shell is started to ignore it
        f"interrupt.HELD.update({ ({'blue': 10.0} if held else {})!r})\n"
        "interrupt.install()\n"
        f"try: os.kill(os.getpid(), {number:d})\n"
        "except interrupt.Interrupted as stop: print(stop.exit_code, flush=True)\n"
        f"os.kill(os.getpid(), {number:d})\nprint('never')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (code, f"{code}\n")
    assert number.name in done.stderr
    assert ("lab blue within 10 s" in done.stderr, "--lab blue" in done.stderr) == (held, held)


def test_a_terminal_that_hung_up_does_not_hide_the_exit_code() -> None:
    controller, terminal = os.openpty()
    aside = os.dup(terminal)
    assert os.isatty(aside)
    interrupt.mute_dead_streams([aside])  # it is still there: nothing is done
    assert os.isatty(aside)
    os.close(controller)
    with pytest.raises(OSError, match="error"):
        os.write(aside, b"x")
    interrupt.mute_dead_streams([aside])
    assert os.write(aside, b"x") == 1
    os.close(aside)
    os.close(terminal)
