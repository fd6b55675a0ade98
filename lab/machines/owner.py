"""ProgramOwner: what keeps the programs of one machine running."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from lab.program import Program
from lab.supervisor.state import ProgramState

T = TypeVar("T")


class ProgramOwner(Protocol):
    """**Protocol:** the supervisor of this computer or of another one, or a machine's systemd. Safe for many threads at once.

    It owns the programs of one run. When the lab ends, however that comes, they end too: after the lease at the latest.
    """

    @property
    def run(self) -> Path:
        """The run's directory on that machine."""
        ...

    def start(self, program: Program, *, replace: bool = False) -> ProgramState:
        """Start a program; on return it has been executed. The same one running already is left alone.

        ProvisionError when one of that name runs with other arguments (`replace` stops that one first), CommandFailed when it cannot be
        executed.
        """
        ...

    def stop(self, name: str, *, within: float = 10.0, kill: bool = False) -> None:
        """End a program for good. UsageError when no program of that name is known."""
        ...

    def restart(self, name: str, *, within: float = 10.0) -> ProgramState:
        """End a program and start it again, on return executed."""
        ...

    def programs(self) -> dict[str, ProgramState]:
        """Return the programs by name."""
        ...

    def exited(self, name: str, *, within: float) -> ProgramState:
        """Wait until the program is not running, or for `within` s; return its state either way."""
        ...

    def settle(self, name: str) -> ProgramState:
        """Say that it became ready: from now on it is restarted when it ends on its own. ComponentExited when it has ended."""
        ...

    def ready(self, name: str, probe: Callable[[], T], *, within: float, what: str | None = None, every: float = 0.25) -> T:
        """Wait until `probe` returns, settle the program, and return what the probe returned; errors as in `Supervisor.ready`."""
        ...

    def tail(self, state: ProgramState) -> str:
        """Return the last lines that a program logged since it was last started; "" when there are none."""
        ...

    def shutdown(self, *, within: float = 2.0) -> None:
        """Stop all programs, those that others need last; on return they are gone. Their files stay."""
        ...


class RemoteOwner(ProgramOwner, Protocol):
    """**Protocol:** a ProgramOwner on another machine. Files of the run there are not in the run directory here."""

    def remove(self, *, within: float = 2.0) -> None:
        """Stop all programs, kill whatever else the run started there, and delete the run's directory. Twice is fine."""
        ...
