"""SIGTERM and SIGHUP end a session in order, as Ctrl-C does, with the exit code of the signal."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

import pytest

INTERRUPTED: list[int] = []
"""The exit code of the signal that ended this session, if one did. A global: pytest_keyboard_interrupt gets no config."""


def install_handlers() -> None:
    """Have SIGTERM and SIGHUP end the session in order. A signal that is ignored (nohup) stays so."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end_session)


def end_session(number: int, _frame: FrameType | None) -> NoReturn:
    """End the session as on Ctrl-C and keep the signal; a second signal ends the process at once."""
    signal.signal(number, signal.SIG_DFL)
    raise Terminated(number)


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP. A KeyboardInterrupt, because pytest ends a session in order for no other exception."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Record the exit code of the signal that ends the session."""
    if isinstance(excinfo.value, KeyboardInterrupt):
        INTERRUPTED.append(excinfo.value.exit_code if isinstance(excinfo.value, Terminated) else 130)
