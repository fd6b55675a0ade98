"""Limits of the computer that are reached anywhere in a command are errors with a remedy; anything else unexpected is a bug."""

from __future__ import annotations

import errno
import os

import pytest
import typer
from typer.testing import CliRunner

from lab.cli.errors import BUG, Verbs, exhausted_limit

THREADS = RuntimeError("can't start new thread")


def run(error: BaseException) -> tuple[int, str]:
    """Run a command that raises; return its exit code and what it printed on stderr."""
    app = typer.Typer(cls=Verbs)

    @app.command()
    def fail() -> None:
        raise error

    @app.command()
    def other() -> None: ...

    done = CliRunner().invoke(app, ["fail"])
    return done.exit_code, done.stderr


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EMFILE, "Too many open files", "/run/x"),
        OSError(errno.ENFILE, "Too many open files in system"),
        OSError(errno.ENOSPC, "No space left on device", "/run/x"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EROFS, "Read-only file system", b"/run/x"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        OSError(errno.EIO, os.strerror(errno.EIO)),
        MemoryError(),
        THREADS,
    ],
    ids=str,
)
def test_a_limit_that_is_reached_is_an_error_with_a_remedy(error: BaseException) -> None:
    code, printed = run(error)

    assert code == 4
    assert "remedy:" in printed
    assert "doctor" in printed
    assert "Traceback" not in printed


def test_the_file_and_the_notes_of_the_error_are_printed() -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/run/x")
    error.add_note("the evidence is in /run/y")

    _, printed = run(error)

    assert "/run/x" in printed
    assert "/run/y" in printed


@pytest.mark.parametrize(
    "error", [OSError(errno.EBADF, "Bad file descriptor"), RuntimeError("no"), KeyError("x"), OSError("plain")], ids=str
)
def test_another_error_is_a_bug_with_its_traceback(error: BaseException) -> None:
    assert exhausted_limit(error) is None

    code, printed = run(error)

    assert code == BUG
    assert "Traceback" in printed
