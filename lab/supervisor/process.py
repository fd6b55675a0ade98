"""One program: fork, exec, exit status, back-off. It knows nothing of sockets or of other programs."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from lab import proc
from lab.supervisor import record

Json = dict[str, Any]

PR_SET_PDEATHSIG = 1
LOG_LIMIT = 64 << 20
"""Bytes after which a log becomes NAME.log.1 (one generation is kept)."""
BACKOFF_MOST = 30.0
STABLE_AFTER = 60.0
"""Seconds a restarted program must have run for its back-off to start again at the first delay."""

_libc = ctypes.CDLL(None, use_errno=True)


class LaunchError(Exception):
    """The program could not be executed or its log not be opened; the text says which and why."""


class Process:
    """A program, its present or last process, and how it has fared.

    States: starting, running, stopping (asked to), stopped (as asked), exited (on its own, final), waiting (on its own,
    to be restarted after its back-off).
    """

    def __init__(self, run: str, program: Json, ours: Callable[[], bool] = lambda: True) -> None:
        self.run = run
        self.ours = ours
        self.program = program
        self.state = "starting"
        self.pid: int | None = None
        self.kernel_start: int | None = None
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.began = 0.0
        self.status: int | None = None
        self.settled = False
        self.restarts = 0
        self.delay = 0.0
        self.log_offset = 0
        self.recorded = True
        self.on_exit: list[Callable[[], None]] = []
        """Called once each, after the next exit has been taken note of."""

    @property
    def name(self) -> str:
        name: str = self.program["name"]
        return name

    @property
    def runs(self) -> bool:
        return self.state in record.RUNS

    def row(self) -> Json:
        """Return the complete state, as sent over the wire and written to disk."""
        return {
            **self.program,
            "run": self.run,
            "state": self.state,
            "pid": self.pid,
            "start_time": self.kernel_start,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "status": self.status,
            "settled": self.settled,
            "restarts": self.restarts,
            "delay": self.delay if self.state == "waiting" else 0.0,
            "log_offset": self.log_offset,
            "recorded": self.recorded,
        }

    def note(self) -> None:
        """Bring the record on disk up to date; a full disk is remembered, not raised."""
        self.recorded = True
        self.recorded = self.ours() and record.write_record(self.run, self.row())

    def launch(self, base_env: Mapping[str, str]) -> None:
        """Start it. LaunchError when it cannot be executed: the state is then exited, without a status."""
        self.state, self.pid, self.kernel_start, self.status, self.ended_at = "starting", None, None, None, None
        self.started_at = time.time()
        self.note()
        try:
            log = open_log(self.program["log"])
            try:
                self.log_offset = os.lseek(log, 0, os.SEEK_END)
                self.pid = execute(self.program, log, {**base_env, **self.program["env"], proc.TAG: self.run})
            finally:
                os.close(log)
        except LaunchError:
            self.state, self.ended_at = "exited", time.time()
            self.note()
            raise
        self.began = time.monotonic()
        self.state, self.kernel_start = "running", proc.read_start_time(self.pid)
        self.note()

    def signal(self, number: int) -> None:
        """Signal the whole process group. Ours is a child not yet reaped, so the pid cannot be another's."""
        if self.runs and self.pid is not None:
            with suppress(OSError):
                os.killpg(self.pid, number)

    def ended(self, status: int) -> None:
        """Take note of the exit. A settled program that ended on its own is "waiting" then, with its next delay."""
        asked = self.state == "stopping"
        ran = time.monotonic() - self.began
        self.status, self.ended_at, self.pid, self.kernel_start = status, time.time(), None, None
        if asked:
            self.state = "stopped"
        elif self.settled:
            self.state = "waiting"
            self.delay = 0.0 if ran >= STABLE_AFTER else self.delay
        else:
            self.state = "exited"
        self.note()
        waiting, self.on_exit = self.on_exit, []
        for tell in waiting:
            tell()

    def next_delay(self, first: float) -> float:
        """Return how long to wait before this restart: first, doubled each time, 30 s at most."""
        self.delay = min(self.delay * 2 or first, BACKOFF_MOST)
        return self.delay


def open_log(path: str) -> int:
    """Open a log for appending, its directory made, a large one put aside. LaunchError names the cause."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        rotate_log(path)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise LaunchError(f"cannot open its log {path}: {error.strerror}") from error


def rotate_log(path: str, limit: int = LOG_LIMIT) -> bool:
    """Copy a log larger than the limit to PATH.1 and empty it. Programs that append go on writing to it.

    Lines written in the instant between the last read and the truncation are lost; nothing else is.
    """
    try:
        if os.stat(path).st_size <= limit:
            return False
        with open(path, "r+b") as log, open(f"{path}.1", "wb") as aside:
            while os.sendfile(aside.fileno(), log.fileno(), None, 1 << 20):
                pass
            log.truncate(0)
    except OSError:
        return False
    return True


def execute(program: Json, log: int, env: Mapping[str, str]) -> int:
    """Fork and execute a program in a session of its own that dies with us; return its pid.

    LaunchError when it cannot be executed. The kernel ties PR_SET_PDEATHSIG to the *thread* that forked, so this is
    only ever called from the one thread the supervisor has.
    """
    parent = os.getpid()
    reader, writer = os.pipe()  # both close on exec: an end of file means it was executed
    try:
        pid = os.fork()
    except OSError as error:  # no memory, or too many processes
        os.close(reader)
        os.close(writer)
        raise LaunchError(f"cannot fork: {error.strerror}") from error
    if pid == 0:
        try:
            os.setsid()
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # the supervisor died before the line above
                os._exit(127)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.chdir(program["cwd"] or program["run"])
            if program["nice"]:
                os.nice(program["nice"])
            os.execvpe(program["argv"][0], program["argv"], env)
        except OSError as error:
            os.write(writer, f"{error.strerror}: {os.fsdecode(error.filename or program['argv'][0])}".encode())
        except BaseException as error:  # noqa: BLE001 (in the child: nothing may return from here)
            os.write(writer, repr(error).encode())
        finally:
            os._exit(127)
    os.close(writer)
    try:
        failure = os.read(reader, 4096)
    finally:
        os.close(reader)
    if failure:
        os.waitpid(pid, 0)
        raise LaunchError(failure.decode(errors="replace"))
    return pid
