"""One command on a machine, on a session of its own, to its end."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import paramiko

from lab.errors import CommandFailed, CommandLost, ProvisionError
from lab.machines.ssh.connection import NoSession, SshConnection
from lab.machines.ssh.remote_command import ABSENT, STARTED, Sudo, command_line, make_header
from lab.machines.ssh.signals import read_status
from lab.machines.ssh.stream import SshStream
from lab.wait import Cancelled, watch_interrupt

LOOK_EVERY = 0.25
"""Seconds between two checks for an interrupt and for time that is up."""
SMALL = 64 << 10
"""Bytes of input that the server's window surely has room for: they are written without a thread."""
KILL_WITHIN = 5.0
WRONG_PASSWORD = b"try again"


@dataclass(frozen=True)
class RemoteResult:
    """How a remote command ended; `status` < 0 is the signal that ended it."""

    status: int
    stdout: bytes
    stderr: bytes


class RemoteProcess:
    """A command that runs on a machine."""

    def __init__(self, connection: SshConnection, argv: Sequence[str], *, sudo: Sudo = Sudo.NONE, password: bytes = b"") -> None:
        self.connection = connection
        self.argv = tuple(map(str, argv))
        self.sudo = sudo
        self.password = password
        self.machine = connection.host.name
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.group: int | None = None
        """Its process group; None until its shell has started."""

    def run(self, given: bytes, *, within: float) -> RemoteResult:
        """Run the command to its end, `given` being what its script and the command read, and return how it ended.

        CommandFailed when it could not be started, or time was up: it is killed then. CommandLost when the connection broke after
        it was asked for. Cancelled when we are interrupted meanwhile. ProvisionError when sudo refuses, or there is no connection.
        """
        deadline = time.monotonic() + within
        channel = self._open_session(within)
        try:
            self._execute(channel, deadline)
            if self.sudo is Sudo.PASSWORD:
                self._pump(channel, deadline, within, until_started=True)
            self._write(channel, given, end=True)
            self._pump(channel, deadline, within)
            return self._ended(channel)
        finally:
            self.connection.close_session(channel)

    def open(self, given: bytes, *, within: float) -> SshStream:
        """Start a command that keeps running, with `given` written to its input, and return its stream; errors as in `run`."""
        deadline = time.monotonic() + within
        channel = self._open_session(within)
        try:
            self._execute(channel, deadline)
            self._pump(channel, deadline, within, until_started=True)
            if self.group is None:
                self._ended(channel)
            self._write(channel, given, end=False)
        except BaseException:
            self.connection.close_session(channel)
            raise
        return SshStream(self.connection, channel, bytes(self.stdout))

    # -- what is sent ------------------------------------------------------------------------------------------------

    def _open_session(self, within: float) -> paramiko.Channel:
        try:
            return self.connection.open_session(within=within)
        except NoSession as error:
            raise CommandFailed(self.argv, status=None, output=f"not within {within:g} s: {error}", machine=self.machine) from error

    def _execute(self, channel: paramiko.Channel, deadline: float) -> None:
        """Ask for the command and answer sudo. paramiko would wait for the answer for ever: a timer closes the session when time is up."""
        timer = threading.Timer(max(deadline - time.monotonic(), 0.1), channel.close)
        timer.daemon = True
        timer.start()
        try:
            channel.exec_command(command_line(self.argv, self.sudo))
        except (paramiko.SSHException, EOFError, OSError) as error:
            if self.connection.is_active() and time.monotonic() < deadline:
                output = f"{self.machine} runs no commands: {error}"
                raise CommandFailed(self.argv, status=None, output=output, machine=self.machine) from error
            raise self._lost() from error
        finally:
            timer.cancel()
        if self.sudo is Sudo.PASSWORD:
            self._write(channel, self.password + b"\n", end=False)

    def _write(self, channel: paramiko.Channel, content: bytes, *, end: bool) -> None:
        """Write to the command's input, in a thread when it may have to wait for the reader; with `end` close it then."""

        def write() -> None:
            with suppress(OSError, EOFError, paramiko.SSHException):  # it ended without reading all, or the connection was lost
                channel.sendall(content)
                if end:
                    channel.shutdown_write()

        if len(content) <= SMALL:
            write()
        else:
            threading.Thread(target=write, name=f"input of {self.argv[0]}", daemon=True).start()

    # -- what comes back ---------------------------------------------------------------------------------------------

    def _pump(self, channel: paramiko.Channel, deadline: float, within: float, *, until_started: bool = False) -> None:
        """Take over what the command prints until it has ended, or only until it has started."""
        interrupted = watch_interrupt()
        poll = select.poll()
        poll.register(channel.fileno(), select.POLLIN)
        while True:
            complete = has_ended(channel)  # looked at before the last read: what was printed before the end is read then
            self._read(channel)
            if complete or (until_started and self.group is not None):
                return
            if until_started and WRONG_PASSWORD in self.stderr:
                raise self._sudo_error("the password is wrong")
            left = deadline - time.monotonic()
            if left <= 0 or interrupted():
                killed = self._kill()
                if left > 0:
                    raise Cancelled
                if not killed:
                    raise self._lost(f"{self.machine} did not end it, or did not answer, after {within:g} s")
                output = f"not within {within:g} s; killed\n{self._printed()}"
                raise CommandFailed(self.argv, status=-signal.SIGKILL, output=output, machine=self.machine)
            if channel.eof_received:  # all was printed, and the descriptor stays readable
                channel.status_event.wait(min(left, LOOK_EVERY))
            else:
                poll.poll(min(left, LOOK_EVERY) * 1000)

    def _read(self, channel: paramiko.Channel) -> None:
        with suppress(OSError):
            while channel.recv_ready():
                self.stdout += channel.recv(1 << 17)
            while channel.recv_stderr_ready():
                self.stderr += channel.recv_stderr(1 << 17)
        if self.group is None and (started := STARTED.search(self.stderr)):
            self.group = int(started[1])
            del self.stderr[started.start() : started.end()]

    def _ended(self, channel: paramiko.Channel) -> RemoteResult:
        status = read_status(channel)
        if status is None:
            raise self._lost()
        if self.group is None:
            if self.sudo is not Sudo.NONE and b"sudo" in self.stderr:
                raise self._sudo_error(self._printed().strip().splitlines()[-1].removeprefix("sudo: "))
            output = self._printed() or "its login shell ended before it ran anything"
            raise CommandFailed(self.argv, status=None, output=output, machine=self.machine)
        if absent := ABSENT.search(self.stderr):
            output = f"{absent[1].decode()}: {self.argv[0]}"
            raise CommandFailed(self.argv, status=None, output=output, machine=self.machine)
        return RemoteResult(status, bytes(self.stdout), bytes(self.stderr))

    def _printed(self) -> str:
        return (self.stdout + self.stderr).decode(errors="replace")

    def _lost(self, why: str = "") -> CommandLost:
        why = why or f"the connection to {self.machine} was lost"
        return CommandLost(self.argv, why=why, output=self._printed(), machine=self.machine)

    def _sudo_error(self, why: str) -> ProvisionError:
        host = self.connection.host
        return ProvisionError(
            f"running {os.path.basename(self.argv[0])} as root failed: sudo of {self.machine}: {why}",  # noqa: PTH119
            where=f"ssh {host.login}",
            remedy="name a file with the right password: sudo_password_file, or let the user run sudo without one (NOPASSWD: ALL)",
        )

    # -- its end -----------------------------------------------------------------------------------------------------

    def _kill(self) -> bool:
        """Kill the command's process group; return whether that was done. One that has not started cannot be killed."""
        if self.group is None or not self.connection.is_active():
            return False
        killer = RemoteProcess(self.connection, ["kill", "-KILL", "--", f"-{self.group}"], sudo=self.sudo, password=self.password)
        try:
            killer.run(make_header({}), within=KILL_WITHIN)  # status 1: it has ended meanwhile
        except ProvisionError:
            return False
        return True


def has_ended(channel: paramiko.Channel) -> bool:
    """Return whether a command has ended and all that it printed has arrived, or its connection is lost."""
    return bool(channel.closed or (channel.exit_status_ready() and channel.eof_received))
