"""The one place where assets start another program: the Go client, git, and what was just built, to hear its version.

These run on this computer, before there is any Machine; tests hand in a `Runner` that answers from a table.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab import environment


@dataclass(frozen=True)
class CommandResult:
    """How a program ended. `status` is 127 when it could not be started."""

    status: int
    stdout: str
    stderr: str

    @property
    def last_lines(self) -> str:
        """The last 30 lines of stderr, or of stdout when stderr is empty."""
        return "\n".join((self.stderr.strip() or self.stdout.strip()).splitlines()[-30:])


class CommandRunner(Protocol):
    """**Protocol:** runs a program to its end. `on_line` hears each line of stderr as it comes."""

    def __call__(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], on_line: Callable[[str], None] | None = None
    ) -> CommandResult: ...


@functools.cache
def tie_to_parent() -> tuple[str, ...]:
    """What makes the kernel end a program when the thread that started it dies: a killed harness leaves no compiler behind.

    util-linux has it; where it is missing the program only ends by itself.
    """
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


def spawn(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], on_line: Callable[[str], None] | None = None) -> CommandResult:
    """Run a program; the `CommandRunner` of production. On every exit path the program and its children have ended.

    `env` is laid over what `lab.environment` lets the program inherit.
    """
    try:
        child = subprocess.Popen(
            (*tie_to_parent(), *argv),
            cwd=cwd,
            env={**environment.inherit(argv), **env},
            umask=environment.UMASK,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # so that it and its children can be ended as one
        )
    except OSError as error:
        return CommandResult(127, "", str(error))
    assert child.stdout is not None
    assert child.stderr is not None
    out: list[str] = []
    reader = threading.Thread(target=lambda stream=child.stdout: out.append(stream.read()), daemon=True)
    reader.start()
    heard: list[str] = []
    try:
        for line in child.stderr:
            heard.append(line)
            if on_line is not None:
                on_line(line.rstrip("\n"))
        status = child.wait()
    except BaseException:
        end_child(child)
        raise
    finally:
        reader.join(timeout=5)
        child.stdout.close()
        child.stderr.close()
    return CommandResult(status, "".join(out), "".join(heard))


def end_child(child: subprocess.Popen[str]) -> None:
    """Ends `child` and all that it started, and has waited for it."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, how)
            child.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
