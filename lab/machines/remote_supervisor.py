"""The supervisor of a run on a machine reached by ssh: `lab.supervisor` itself, shipped there, and asked over an ssh session.

A session is used for one request after the other, and kept for the next one. It starts there when a program is first started.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lab import proc
from lab.errors import CommandFailed, CommandLost, ComponentExited, NotPossible, ProvisionError
from lab.machines.remote_log import make_remote_exit_error, read_last_lines
from lab.machines.shipped_supervisor import archive_name, supervisor_archive
from lab.machines.ssh.machine import SshMachine
from lab.machines.ssh.stream import SshStream
from lab.program import Program
from lab.supervisor.bridge import CONNECTED
from lab.supervisor.client import Supervisor
from lab.supervisor.state import ProgramState
from lab.supervisor.wire import Json, SupervisorGone
from lab.wait import NotYet, until

LEASE_FILE = "lease"
IDLE = 2
"""Sessions kept for later requests: a server allows some ten for all purposes."""
CONNECT_WITHIN = 45.0
"""Seconds for a session with a supervisor: a busy computer takes several to a lost connection and the next."""
OLDEST_MINOR = 9
"""Of Python 3."""
NO_PYTHON = 3
NOT_SHIPPED = 4
BRIDGE = f"""
[ -S "$2/supervisor.sock" ] || exit 1
[ -f "$1" ] || exit {NOT_SHIPPED}
exec python3 -I -S "$1" bridge "$2"
"""
"""Without a socket there is no supervisor, and no Python is started to find that out."""
SHIP = f"""
[ -f "$1" ] && exit
version=$(python3 --version) || exit {NO_PYTHON}
minor=${{version#Python 3.}}
[ "${{minor%%.*}}" -ge {OLDEST_MINOR} ] || {{ echo "$version"; exit {NO_PYTHON}; }}
part="$1.$$"
mkdir -p "${{1%/*}}" && cat > "$part" && mv -f "$part" "$1" && exit
rm -f "$part"
exit 1
"""
"""Write the standard input to a file unless it is there, whole or not at all, where Python can run it."""


class RemoteSupervisor(Supervisor):
    """The supervisor of a run on one machine, as `Supervisor` is of this computer. Programs' paths are those of the machine."""

    def __init__(self, machine: SshMachine, begin_lease: Callable[[], None]) -> None:
        super().__init__(Path(machine.root))
        self.begin_lease = begin_lease
        self.run = Path(machine.root)  # a link of this computer has no meaning there
        self.machine = machine
        self.machine_name = machine.name

    @property
    def archive(self) -> str:
        """Where the shipped supervisor is on the machine."""
        return f"{self.machine.folder}/assets/{archive_name()}"

    def start(self, program: Program, *, replace: bool = False) -> ProgramState:
        """Start a program; see `Supervisor.start`. Its working directory is made there."""
        if program.cwd is not None:
            self.machine.run(["mkdir", "-p", "-m", "0700", str(program.cwd)])
        return super().start(program, replace=replace)

    def shutdown(self, *, within: float = 2.0) -> None:
        """Stop all programs and the supervisor; see `Supervisor.shutdown`."""
        with suppress(NotPossible, ProvisionError):
            self._ask({"op": "shutdown", "within": within}, ensure=False, within=within)

    def remove(self, *, within: float = 2.0) -> None:
        """Stop all programs, kill what else carries the run's tag there, and delete the run's directory. Twice is fine."""
        self.shutdown(within=within)
        if not self._has_files():
            return
        try:
            self._ship()
        except NotPossible:  # without Python no supervisor ever ran there
            self.machine.run(["rm", "-rf", "--", str(self.run)])
        else:
            self._python("remove", within=60.0)

    # -- how it is reached -------------------------------------------------------------------------------------------

    def _ask(self, request: Json, *, ensure: bool, within: float = 0.0, argv: tuple[str, ...] = ()) -> Json:
        """Send a request until it is answered; each may be sent twice. The end of a session shows nothing: a new one shows who is there."""
        attempt = super()._ask

        def send() -> Json:
            try:
                return attempt(request, ensure=ensure, within=within, argv=argv)
            except SupervisorGone as gone:
                raise NotYet(gone.what) from gone

        return until(send, what=f"the supervisor on {self.machine.name} answers {request['op']}", within=CONNECT_WITHIN)

    def _connect(self) -> socket.socket | None:
        idle = self._idle()
        with suppress(IndexError):  # of an empty list: another thread may take the last one
            while True:
                if (kept := idle.pop()).open:
                    return kept
                kept.close()
        stream = until(self._open_bridge, what=f"{self.machine.name} says whether a supervisor runs there", within=CONNECT_WITHIN)
        return PooledSocket(stream, idle) if stream else None

    def _open_bridge(self) -> SshStream | None:
        """Return a session with the supervisor; None when there is none. NotYet when the connection was lost before either was known."""
        try:
            stream = self.machine.open_stream(["sh", "-c", BRIDGE, "sh", self.archive, str(self.run)])
        except CommandLost as lost:
            raise NotYet(lost.what) from lost
        if stream.read_line() == CONNECTED:
            return stream
        status = stream.read_status()
        stream.close()
        if status is None:
            raise NotYet(f"the connection to {self.machine.name} was lost")
        if status == NOT_SHIPPED:  # another version of this package started the supervisor
            self._ship()
            raise NotYet("the bridge was not there")
        return None

    def _starting(self) -> threading.Lock:
        return self.machine.connection.starting

    def _idle(self) -> list[PooledSocket]:
        pool: list[PooledSocket] = self.machine.connection.kept.setdefault(str(self.run), [])
        return pool

    def _spawn(self) -> None:
        """Ship the supervisor, unless it is there, and start it. NotPossible when the machine has no Python for it."""
        self._ship()
        self.begin_lease()
        options = ["--backoff", str(self.backoff), "--until", f"{self.run}/{LEASE_FILE}"]
        self._python("supervise", *options, within=20.0)

    def _has_files(self) -> bool:
        """Return whether something of the run, or the supervisor of an earlier one, is on the machine."""
        try:
            self.machine.run(["sh", "-c", '[ -d "$1" ] || [ -f "$2" ]', "sh", str(self.run), self.archive])
        except CommandFailed as failed:
            if failed.status == 1:
                return False
            raise
        return True

    def _ship(self) -> None:
        """Ship the supervisor unless it is there. NotPossible when the machine has no Python for it."""
        try:
            self.machine.run(["sh", "-c", SHIP, "sh", self.archive], input=supervisor_archive())
        except CommandFailed as failed:
            if failed.status != NO_PYTHON:
                raise
            name = self.machine.name
            raise NotPossible(
                f"starting programs on {name} failed: it has neither systemd nor Python 3.{OLDEST_MINOR} or newer",
                where=name,
                remedy=f"install python3 on {name} (apt-get install python3-minimal), or use a machine with systemd",
                detail=failed.output,
            ) from failed

    def _python(self, verb: str, *args: str, within: float) -> None:
        self.machine.run(["python3", "-I", "-S", self.archive, verb, str(self.run), *args], env={proc.TAG: str(self.run)}, within=within)

    # -- what it says ------------------------------------------------------------------------------------------------

    def tail(self, state: ProgramState) -> str:
        return read_last_lines(self.machine, state)

    def exit_error(self, state: ProgramState) -> ComponentExited:
        return make_remote_exit_error(self.machine, state)


class PooledSocket(socket.socket):
    """One end of a stream to the supervisor: given back for the next request when a request went well, else closed."""

    def __init__(self, stream: SshStream, pool: list[PooledSocket]) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(fileno=ours.detach())
        self.pool = pool
        self.stream = stream
        stream.connect(theirs)

    @property
    def open(self) -> bool:
        """Whether the stream still passes on what is written."""
        return self.stream.open

    def __exit__(self, *error: object) -> None:
        if error[0] is None and self.open and len(self.pool) < IDLE:
            self.pool.append(self)
        else:
            self.close()

    def close(self) -> None:
        super().close()
        self.stream.close()
