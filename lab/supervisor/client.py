"""What a harness calls: the supervisor of one run directory, started when first needed.

    supervisor = Supervisor(run.path)
    with supervisor.hold("pytest gw0"):              # while anyone holds, the lab lives
        supervisor.start(program)                     # executed, not more
        supervisor.ready(program.name, probe, within=30)   # ready, ended or out of time; from now on restarted
        supervisor.stop("member1/kube-apiserver", kill=True)
        supervisor.shutdown()                         # all of it, in reverse order of needs

Every function is safe for many threads at once: each call is a connection of its own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from lab import environment, interrupt, proc
from lab.errors import CommandFailed, ComponentExited, NotPossible, ProvisionError, UsageError
from lab.hints import command
from lab.program import Program
from lab.supervisor.readiness import wait_ready
from lab.supervisor.remains import kill_orphans
from lab.supervisor.state import ProgramState, SupervisorStatus, make_exit_error
from lab.supervisor.wire import ANSWER_WITHIN, SupervisorGone, connect, send_request
from lab.wait import NotYet, until

T = TypeVar("T")
Json = dict[str, Any]


PATIENCE = 8.0
"""Seconds beyond the time for ending its programs that a supervisor is given before it is killed."""
STARTING = threading.Lock()
"""Held while this process starts a supervisor: of fifty threads one does it. Between processes its own lock decides."""


class Hold:
    """A hold on a lab: the lab lives while this process lives and has not released it."""

    def __init__(self, peer: socket.socket, run: Path, lease: float) -> None:
        self._peer: socket.socket | None = peer
        self._run = run
        interrupt.HELD[run.name] = lease

    def release(self, *, keep: bool = False) -> bool:
        """Let go. Return True when the lab has no other holder and is not kept: the caller then takes it down.

        With `keep` the lab runs on until it is taken down. A caller that dies before it took the lab down has the lease do it.
        Releasing twice is fine, and says False.
        """
        if self._peer is None:
            return False
        peer, self._peer = self._peer, None
        interrupt.HELD.pop(self._run.name, None)
        with peer:
            try:
                answer = send_request(peer, {"op": "release", "keep": keep}, within=ANSWER_WITHIN, run=self._run)
            except ProvisionError:  # it has ended already: there is nothing left to take down
                return False
        return bool(answer["last"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


class Supervisor:
    """The supervisor of a run directory, from outside. `lease`, `backoff` count only if this call is what starts it."""

    machine_name = "local"
    """What errors call the computer that it runs on."""

    def __init__(self, run: Path, *, lease: float = 10.0, backoff: float = 1.0) -> None:
        self.run = Path(os.path.realpath(run))  # the tag of its processes: the same by whichever way one came here
        self.lease = lease
        self.backoff = backoff

    # -- the supervisor ----------------------------------------------------------------------------------------------

    def alive(self) -> bool:
        """Does a supervisor answer in this run directory?"""
        peer = self._connect()
        if peer is None:
            return False
        peer.close()
        return True

    def status(self) -> SupervisorStatus | None:
        """Return the supervisor's state; None when there is no supervisor, also when it ends just now."""
        try:
            answer = self._ask({"op": "list"}, ensure=False)
        except (NotPossible, SupervisorGone):
            return None
        return SupervisorStatus(
            answer["pid"],
            answer["lease"],
            answer["detached"],
            answer["closing"],
            tuple((holder["label"], holder["pid"]) for holder in answer["holders"]),
            {row["name"]: ProgramState.parse(row) for row in answer["processes"]},
        )

    def programs(self) -> dict[str, ProgramState]:
        """Return the programs it owns by name; none when there is no supervisor."""
        status = self.status()
        return status.programs if status else {}

    def hold(self, label: str) -> Hold:
        """Start the supervisor if need be and hold the lab, until released or this process ends.

        A supervisor that is just taking the lab down is waited for, and followed by a new one.
        """

        def attempt() -> Hold:
            peer = self._connect_or_start()
            with ExitStack() as undo:
                undo.enter_context(peer)
                try:
                    answer = send_request(peer, {"op": "hold", "label": label}, within=ANSWER_WITHIN, run=self.run)
                except SupervisorGone as error:
                    raise NotYet("it has just ended") from error
                if answer.get("code") == "closing":
                    raise NotYet("it is taking the lab down")
                self._checked(answer)
                undo.pop_all()
            return Hold(peer, self.run, float(answer["lease"]))

        return until(attempt, what=f"the supervisor of {self.run.name} can be held", within=15.0)

    def shutdown(self, *, within: float = 2.0) -> None:
        """Stop all programs, those that others need last, and the supervisor; on return they are gone.

        TERM, and KILL to what has not ended when its share of `within` is up. Holders are not asked. A supervisor that does
        not answer is killed. Where there is none, what a dead one left running is killed by its records and its tag.
        """
        peer = connect(self.run)
        if peer is not None:
            with peer:
                server = proc.read_peer_pid(peer)
                started = proc.read_start_time(server)
                with suppress(
                    ProvisionError
                ):  # it ended before it could answer, or it cannot answer any more: what follows deals with both
                    send_request(peer, {"op": "shutdown", "within": within}, within=within + PATIENCE, run=self.run)
                if started is not None and not proc.wait_gone(server, started, within=2.0):
                    proc.kill_process(server, started, within=2.0)  # its programs die with it
        kill_orphans(str(self.run))

    # -- programs ----------------------------------------------------------------------------------------------------

    def start(self, program: Program, *, replace: bool = False) -> ProgramState:
        """Start a program; on return it has been executed. The same one running already is left alone.

        ProvisionError when one of that name runs with other arguments (`replace` stops that one first), CommandFailed
        when it cannot be executed.
        """
        wire = {
            "name": program.name,
            "argv": list(program.argv),
            "log": os.path.abspath(program.log),
            "env": dict(program.env),
            "cwd": None if program.cwd is None else os.path.abspath(program.cwd),
            "nice": program.nice,
            "needs": list(program.needs),
            "ports": list(program.ports),
        }
        answer = self._ask({"op": "start", "program": wire, "replace": replace}, ensure=True, argv=program.argv)
        return ProgramState.parse(answer["process"])

    def stop(self, name: str, *, within: float = 10.0, kill: bool = False) -> None:
        """End a program: TERM, KILL after `within` s, or KILL at once; on return it is gone and stays so.

        UsageError when no program of that name is known. With no supervisor nothing runs, so nothing is done.
        """
        with suppress(NotPossible, SupervisorGone):
            self._ask({"op": "stop", "name": name, "within": within, "kill": kill}, ensure=False, within=within)

    def restart(self, name: str, *, within: float = 10.0) -> ProgramState:
        """End a program and start it again, on return executed. It counts as settled if it did before."""
        return ProgramState.parse(self._ask({"op": "restart", "name": name, "within": within}, ensure=False, within=within)["process"])

    def signal(self, name: str, number: int) -> None:
        """Signal a program behind the supervisor's back: a settled one that dies of it is restarted. ProvisionError if not running."""
        self._ask({"op": "signal", "name": name, "signal": int(number)}, ensure=False)

    def state(self, name: str) -> ProgramState:
        """Return one program's state. UsageError when it is not known; NotPossible when there is no supervisor."""
        return ProgramState.parse(self._ask({"op": "wait", "name": name, "within": 0.0}, ensure=False)["process"])

    def exited(self, name: str, *, within: float) -> ProgramState:
        """Wait until the program is not running, or for `within` s; return its state either way."""
        return ProgramState.parse(self._ask({"op": "wait", "name": name, "within": within}, ensure=False, within=within)["process"])

    @contextmanager
    def freeze(self, names: Sequence[str]) -> Iterator[None]:
        """Pause programs while the body runs: when it begins, no thread of them executes anything; they go on when it ends.

        They also go on when this process is killed. UsageError when one was never started, NotPossible when there is no supervisor.
        """
        peer = self._connect()
        if peer is None:
            raise no_supervisor_error(self.run)
        with peer:
            pids = self._checked(send_request(peer, {"op": "freeze", "names": list(names)}, within=ANSWER_WITHIN, run=self.run))["pids"]
            until(partial(require_frozen, pids), what=f"the programs {', '.join(names)} are paused", within=5.0, first=0.001)
            yield

    def settle(self, name: str) -> ProgramState:
        """Say that it became ready: from now on it is restarted when it ends on its own. ComponentExited when it has ended."""
        state = ProgramState.parse(self._ask({"op": "settle", "name": name}, ensure=False)["process"])
        if not state.runs:
            raise self.exit_error(state)
        return state

    def ready(self, name: str, probe: Callable[[], T], *, within: float, what: str | None = None, every: float = 0.25) -> T:
        """Wait until `probe` returns, settle the program, and return what the probe returned.

        `probe` raises NotYet as in `lab.wait.until`. ComponentExited, with the exit status and the end of the log, as soon as
        the program exits (unless it is settled and will be restarted); NotReady, with the end of the log, on a timeout.
        """
        return wait_ready(self, name, probe, within=within, what=what, every=every)

    # -- the socket --------------------------------------------------------------------------------------------------

    def _ask(self, request: Json, *, ensure: bool, within: float = 0.0, argv: tuple[str, ...] = ()) -> Json:
        peer = self._connect_or_start() if ensure else self._connect()
        if peer is None:
            raise no_supervisor_error(self.run)
        with peer:
            return self._checked(send_request(peer, request, within=within + ANSWER_WITHIN, run=self.run), argv=argv)

    def _checked(self, answer: Json, *, argv: tuple[str, ...] = ()) -> Json:
        if answer["ok"]:
            return answer
        match answer["code"]:
            case "unknown":
                known = ", ".join(answer["known"]) or "none"
                raise UsageError(answer["error"], where=f"{self.run} (programs there: {known})")
            case "launch":
                raise CommandFailed(argv or ("program",), status=None, output=answer["error"], machine=self.machine_name)
            case "differs":
                raise ProvisionError(answer["error"], where=str(self.run), remedy=command("down", lab=self.run.name))
            case _:
                raise ProvisionError(answer["error"], where=f"the supervisor of {self.run}")

    def _connect_or_start(self) -> socket.socket:
        def attempt() -> socket.socket:
            peer = self._connect()
            if peer is None:
                with self._starting():
                    peer = self._connect()
                    if peer is None:
                        self._spawn()
                        peer = self._connect()
            if peer is None:  # another one was ending and still had the lock
                raise NotYet("it does not listen")
            return peer

        return until(attempt, what=f"the supervisor of {self.run.name} answers", within=15.0)

    # -- how this computer's supervisor is reached; that of another machine is reached otherwise ------------------------

    def _connect(self) -> socket.socket | None:
        """Return a connection for one request; None when there is no supervisor."""
        return connect(self.run)

    def _starting(self) -> threading.Lock:
        """Return what a thread holds while it starts the supervisor."""
        return STARTING

    def tail(self, state: ProgramState) -> str:
        """Return the last lines that a program logged."""
        return state.tail()

    def exit_error(self, state: ProgramState) -> ComponentExited:
        """Return the error of a program that ended."""
        return make_exit_error(state)

    def _spawn(self) -> None:
        """Start the supervisor and wait until it listens; when another one has the lock, do nothing. NotYet: ask again."""
        if not self.run.is_dir():
            raise UsageError("no such run directory", where=str(self.run), remedy=command("up", lab=self.run.name))
        script = Path(__file__).with_name("__main__.py")
        argv = [sys.executable, "-I", "-S", str(script), str(self.run), "--lease", str(self.lease), "--backoff", str(self.backoff)]
        env = environment.inherit_component() | {proc.TAG: str(self.run)}
        try:
            started = subprocess.run(
                argv,
                env=env,
                umask=environment.UMASK,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=15,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CommandFailed(argv, status=None, output=str(error)) from error
        if started.returncode == -signal.SIGKILL:
            raise NotYet("an ending supervisor killed it as a leftover of the run")
        if started.returncode:
            raise CommandFailed(argv, status=started.returncode, output=started.stderr.decode(errors="replace"))


def require_frozen(pids: Sequence[int]) -> None:
    """Return when every thread of these processes is paused. NotYet names the first process that is not."""
    for pid in pids:
        if not proc.is_whole_paused(pid):
            raise NotYet(f"pid {pid} still runs")


def no_supervisor_error(run: Path) -> NotPossible:
    """Return the error of a request that needs a supervisor, where none runs."""
    return NotPossible(f"no supervisor runs for lab {run.name}", where=str(run), remedy=command("up", lab=run.name))
