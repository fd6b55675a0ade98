"""Machine: the protocol of a computer that commands and programs can be run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.program import Program


@dataclass(frozen=True)
class Completed:
    """A command that ended with status 0, and what it printed."""

    argv: tuple[str, ...]
    stdout: str
    stderr: str
    seconds: float


class Machine(Protocol):
    """**Protocol:** a computer we can run things on.

    Conforming machines are safe for use by many threads at once.
    """

    @property
    def name(self) -> str:
        """What errors call it."""
        ...

    def run(
        self, argv: Sequence[str], *, input: str | bytes | None = None, env: Mapping[str, str] | None = None, within: float = 60.0
    ) -> Completed:
        """Run a command to its end. CommandFailed when its status is not 0, it cannot be started, or time is up.

        When time is up it is killed, and the error says so. `env` is laid over what `lab.environment` lets the program inherit.
        """
        ...

    def put(self, src: Path, dst: Path) -> None:
        """Copy a file of this computer to the machine, whole or not at all; mode and directories included."""
        ...

    def get(self, src: Path, dst: Path) -> None:
        """Copy a file of the machine to this computer, whole or not at all."""
        ...

    def start(self, program: Program) -> None:
        """Start a program; on return it has been executed, not more. Starting what runs already changes nothing.

        ProvisionError when a program of that name runs with other arguments; CommandFailed when it cannot be executed.
        """
        ...

    def stop(self, name: str, *, within: float = 10.0, kill: bool = False) -> None:
        """End a program: TERM, KILL after `within` seconds (or at once); on return it is gone and is not restarted.

        Stopping what has ended already is fine. UsageError when no program of that name was ever started.
        """
        ...
