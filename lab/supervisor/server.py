"""The supervisor's requests, its holders, and when it ends.

It ends, with every program of the run, when: on request (`shutdown`, SIGTERM); the lab had no holder for the length of
the lease and was not kept; its run directory is gone. On another machine, with `until`, a lease in a file takes the place of holders:
when it is over, the run's directory there is removed, too. It never ends because a client went away, sent
nonsense, or the disk is full.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from lab import proc
from lab.supervisor.loop import Connection, Loop, Timer, call_guarded, log_line
from lab.supervisor.process import Process
from lab.supervisor.table import ProgramTable, make_refusal

Json = dict[str, Any]
NAME = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
LOOK_EVERY = 1.0
"""Seconds between two looks at whether the run directory is still there."""
ROTATE_EVERY = 30.0
FIRST_HOLDER = 3.0
"""The least time for the starting process to hold the lab, in seconds, even with a shorter lease."""


def take_lock(run: str) -> int | None:
    """Become the supervisor of this run: return the locked descriptor, to be kept; None when there is one already."""
    lock = os.open(f"{run}/supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def listen(run: str) -> socket.socket:
    """Return the listening socket of the run directory, with mode 0600. The caller holds the lock."""
    folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(FileNotFoundError):
            os.unlink("supervisor.sock", dir_fd=folder)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(f"/proc/self/fd/{folder}/supervisor.sock")  # a Unix address holds 107 bytes, a path may be longer
        finally:
            os.umask(before)
    finally:
        os.close(folder)
    listener.listen(256)
    listener.setblocking(False)
    return listener


class Server:
    """One run's supervisor, on one thread."""

    def __init__(self, run: str, *, lease: float, backoff: float, env: Mapping[str, str], until: str = "") -> None:
        self.run = run
        self.lease = lease
        self.until = until
        self.loop = Loop()
        base = {key: value for key, value in env.items() if key != proc.TAG} | {"TMPDIR": f"{run}/scratch"}
        self.table = ProgramTable(self.loop, run, base, backoff=backoff, ours=lambda: self._look() in {self.identity, None})
        self.holders: dict[Connection, Json] = {}
        self.frozen: dict[Connection, list[Process]] = {}
        self.detached = bool(until)  # then the lease in that file takes the place of holders
        self.held = False
        self.ending: list[Callable[[], None]] = []
        self.expiry: Timer | None = None
        self.since = time.time()
        self.identity: tuple[int, int] | None = None
        self.identity = self._look()

    def serve(self, ready: Callable[[], None]) -> None:
        """Serve until the lab is to end; call `ready` once requests are answered. The caller holds the lock."""
        self._heed_signals()
        with suppress(OSError):
            os.makedirs(f"{self.run}/scratch", exist_ok=True)
        self.table.bury()
        listener = listen(self.run)
        self.loop.watch(listener.fileno(), lambda _events: self._accept(listener))
        self._tick()
        self._rotate()
        self._reconsider()
        ready()
        self.loop.run()
        listener.close()
        if self.until and is_over(self.until) and self._look() == self.identity:
            remove_tree(self.run)

    # -- requests ----------------------------------------------------------------------------------------------------

    def ask(self, connection: Connection, message: Json) -> None:
        """Answer one request, now or later; nonsense is refused."""
        answer = connection.answer
        try:
            self._dispatch(connection, message, answer)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            answer(make_refusal("protocol", f"{message.get('op')}: {type(error).__name__}: {error}"))
        except OSError as error:
            answer(make_refusal("system", f"{message.get('op')}: {error}"))

    def _dispatch(self, connection: Connection, message: Json, answer: Callable[[Json], None]) -> None:
        table = self.table
        handlers: dict[str, Callable[[], None]] = {
            "list": lambda: answer(self._status()),
            "start": lambda: table.start(check_program(message["program"], self.run), replace=bool(message.get("replace")), done=answer),
            "stop": lambda: table.stop(message["name"], within=float(message["within"]), kill=bool(message.get("kill")), done=answer),
            "restart": lambda: table.restart(message["name"], within=float(message["within"]), done=answer),
            "signal": lambda: table.signal(message["name"], int(message["signal"]), done=answer),
            "settle": lambda: table.settle(message["name"], done=answer),
            "freeze": lambda: self._freeze(connection, list(message["names"])),
            "wait": lambda: table.wait(message["name"], within=float(message["within"]), done=answer),
            "hold": lambda: self._hold(connection, str(message["label"])),
            "release": lambda: self._release(connection, keep=bool(message["keep"])),
            "shutdown": lambda: self.end(
                f"asked to by pid {proc.read_peer_pid(connection.peer)}",
                within=float(message["within"]),
                then=lambda: answer({"ok": True}),
            ),
        }
        request = handlers.get(message["op"])
        if request is None:
            answer(make_refusal("protocol", f"no such request: {message['op']}"))
        else:
            request()

    def _status(self) -> Json:
        return {
            "ok": True,
            "pid": os.getpid(),
            "since": self.since,
            "lease": self.lease,
            "detached": self.detached,
            "closing": self.table.closing,
            "holders": list(self.holders.values()),
            "processes": self.table.rows(),
        }

    # -- the lease ---------------------------------------------------------------------------------------------------

    def _hold(self, connection: Connection, label: str) -> None:
        if self.table.closing:
            connection.answer(make_refusal("closing", "the lab is being taken down"))
            return
        self.holders[connection] = {"label": label, "pid": proc.read_peer_pid(connection.peer), "since": time.time()}
        self.held = True
        self._reconsider()
        connection.answer({"ok": True, "pid": os.getpid(), "lease": self.lease})

    def _release(self, connection: Connection, *, keep: bool) -> None:
        self.holders.pop(connection, None)
        self.detached = self.detached or keep
        self._reconsider()
        connection.answer({"ok": True, "last": not self.holders and not self.detached})

    def _freeze(self, connection: Connection, names: list[str]) -> None:
        """Pause programs until the connection closes, whatever becomes of the process at its other end."""
        if unknown := [name for name in names if name not in self.table.processes]:
            connection.answer(make_refusal("unknown", f"no program {unknown[0]} was started") | {"known": sorted(self.table.processes)})
            return
        paused = [self.table.processes[name] for name in names]
        self.frozen.setdefault(connection, []).extend(paused)
        for process in paused:
            process.signal(signal.SIGSTOP)
        connection.answer({"ok": True, "pids": [process.pid for process in paused if process.pid is not None]})

    def _gone(self, connection: Connection) -> None:
        for process in self.frozen.pop(connection, []):
            process.signal(signal.SIGCONT)
        if self.holders.pop(connection, None) is not None:
            self._reconsider()

    def _reconsider(self) -> None:
        """Start the lease when the lab has no holder; cancel it otherwise."""
        if self.holders or self.detached:
            if self.expiry is not None:
                self.expiry.cancel()
                self.expiry = None
        elif self.expiry is None:
            lease = self.lease if self.held else max(self.lease, FIRST_HOLDER)
            self.expiry = self.loop.later(lease, lambda: self.end("the lab has no holder", within=2.0))

    # -- the end -----------------------------------------------------------------------------------------------------

    def end(self, why: str, *, within: float, then: Callable[[], None] | None = None) -> None:
        """Stop every program and end the loop; the requester is answered last."""
        if then is not None:
            self.ending.append(then)
        if self.table.closing:
            return
        log_line(f"the lab ends: {why}")
        self.loop.later(within + 5.0, self._finish)  # a process the kernel will not let go must not keep us
        self.table.shutdown(within=within, done=self._finish)

    def _finish(self) -> None:
        if self._look() == self.identity:
            with suppress(OSError):
                os.unlink(f"{self.run}/supervisor.sock")
        for tell in self.ending:
            call_guarded(tell)
        self.ending = []
        self.loop.stop()

    def _look(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.run)
        except FileNotFoundError:
            return None
        except OSError:  # an unreadable disk is not a deleted directory
            return self.identity
        return found.st_dev, found.st_ino

    def _tick(self) -> None:
        if self._look() != self.identity:
            self.end("its directory is gone", within=0.5)
        elif self.until and is_over(self.until):
            self.end("the lease of this machine is over", within=2.0)
        else:
            self.loop.later(LOOK_EVERY, self._tick)

    def _rotate(self) -> None:
        self.table.rotate_logs()
        self.loop.later(ROTATE_EVERY, self._rotate)

    # -- what comes in -----------------------------------------------------------------------------------------------

    def _heed_signals(self) -> None:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._wakeup = writer
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: None)  # not SIG_IGN: programs would inherit that

        def heed(_events: int) -> None:
            numbers = set(reader.recv(4096))
            if signal.SIGCHLD in numbers:
                self.table.reap()
            if numbers & {signal.SIGTERM, signal.SIGINT}:
                self.end("a signal", within=2.0)

        self.loop.watch(reader.fileno(), heed)

    def _accept(self, listener: socket.socket) -> None:
        try:
            peer, _ = listener.accept()
        except BlockingIOError:
            return
        except OSError:  # out of descriptors: it would be asked again and again
            self.loop.forget(listener.fileno())
            self.loop.later(1.0, lambda: self.loop.watch(listener.fileno(), lambda _events: self._accept(listener)))
            return
        Connection(self.loop, peer, ask=self.ask, gone=self._gone)


def is_over(file: str) -> bool:
    """Return whether the lease in a file is over: it holds the seconds since boot until which it is given; without the file it is."""
    try:
        with open(file, encoding="utf-8") as lease:
            return float(lease.read()) < time.clock_gettime(time.CLOCK_BOOTTIME)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):  # an unreadable disk ends nothing
        return False


def remove_tree(folder: str) -> None:
    """Delete a directory with all that is in it; what cannot be deleted stays."""
    for place, folders, files in os.walk(folder, topdown=False):
        for name in files:
            with suppress(OSError):
                os.unlink(f"{place}/{name}")
        for name in folders:
            with suppress(OSError):
                os.unlink(f"{place}/{name}") if os.path.islink(f"{place}/{name}") else os.rmdir(f"{place}/{name}")
    with suppress(OSError):
        os.rmdir(folder)


def check_program(program: Json, run: str) -> Json:
    """Return the program with its defaults, as the table and the records keep it. ValueError when it cannot be one."""
    name, argv = program["name"], program["argv"]
    if not NAME.fullmatch(name) or ".." in name.split("/"):
        raise ValueError(f"{name!r} is not a name for a program")
    if not argv or not all(isinstance(word, str) for word in argv):
        raise ValueError(f"{name}: argv must be strings")
    return {
        "name": name,
        "argv": list(argv),
        "log": str(program["log"]),
        "env": {str(key): str(value) for key, value in program.get("env", {}).items()},
        "cwd": program.get("cwd"),
        "nice": int(program.get("nice", 0)),
        "needs": list(program.get("needs", ())),
        "ports": list(program.get("ports", ())),
        "run": run,
    }
