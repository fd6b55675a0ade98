"""All programs of a run: start, stop, restart, back-off, shutdown.

Nothing here waits. A caller passes `done`, which is called exactly once with the answer: immediately, or when the request is complete.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from lab import proc
from lab.supervisor import order, record
from lab.supervisor.loop import Loop, log_line
from lab.supervisor.process import LaunchError, Process, rotate_log

Json = dict[str, Any]
Done = Callable[[Json], None]
LEAST_PER_WAVE = 0.2
"""Seconds each wave of a shutdown gets before KILL, however little of its time is left."""


def make_refusal(code: str, error: str) -> Json:
    return {"ok": False, "code": code, "error": error}


class ProgramTable:
    """The programs of one run by name."""

    def __init__(self, loop: Loop, run: str, base_env: Mapping[str, str], *, backoff: float, ours: Callable[[], bool]) -> None:
        self.loop = loop
        self.run = run
        self.base_env = base_env
        self.backoff = backoff
        self.ours = ours
        """Tell whether the directory at this path still belongs to this run: a new lab of the same name must not be touched."""
        self.processes: dict[str, Process] = {}
        self.closing = False

    def rows(self) -> list[Json]:
        return [process.row() for _, process in sorted(self.processes.items())]

    def running(self) -> list[Process]:
        return [process for process in self.processes.values() if process.runs]

    # -- requests ----------------------------------------------------------------------------------------------------

    def start(self, program: Json, *, replace: bool, done: Done) -> None:
        """Start a program, unless the same one runs (or is about to be restarted)."""
        if self.closing:
            done(make_refusal("closing", "the lab is being taken down"))
            return
        known = self.processes.get(program["name"])
        if known is not None and known.state == "stopping":
            known.on_exit.append(lambda: self.start(program, replace=replace, done=done))
            return
        if known is not None and (known.runs or known.state == "waiting"):
            if is_same(known.program, program):
                done({"ok": True, "already": True, "process": known.row()})
                return
            if not replace:
                done(make_refusal("differs", f"{program['name']} runs already, with other arguments"))
                return
            self._end(known, within=10.0, kill=False, then=lambda: self.start(program, replace=False, done=done))
            return
        process = self.processes[program["name"]] = Process(self.run, program, self.ours)
        self._launch(process, lambda: done({"ok": True, "already": False, "process": process.row()}), done)

    def stop(self, name: str, *, within: float, kill: bool, done: Done) -> None:
        """Stop a program; it is not restarted."""
        process = self.processes.get(name)
        if process is None:
            done(self._unknown(name))
            return
        self._end(process, within=within, kill=kill, then=lambda: done({"ok": True, "process": process.row()}))

    def restart(self, name: str, *, within: float, done: Done) -> None:
        """Restart a program with the same arguments; a settled one stays settled."""
        process = self.processes.get(name)
        if process is None:
            done(self._unknown(name))
            return

        def again() -> None:
            if self.closing:
                done(make_refusal("closing", "the lab is being taken down"))
                return
            self._launch(process, lambda: done({"ok": True, "process": process.row()}), done)

        self._end(process, within=within, kill=False, then=again)

    def signal(self, name: str, number: int, *, done: Done) -> None:
        """Send a signal as a process outside the lab would: an exit that follows counts as the program's own."""
        process = self.processes.get(name)
        if process is None:
            done(self._unknown(name))
        elif not process.runs:
            done(make_refusal("ended", f"{name} is not running"))
        else:
            process.signal(number)
            done({"ok": True, "process": process.row()})

    def settle(self, name: str, *, done: Done) -> None:
        """Restart the program from now on when it exits by itself."""
        process = self.processes.get(name)
        if process is None:
            done(self._unknown(name))
            return
        if process.runs and not process.settled:
            process.settled = True
            process.note()
        done({"ok": True, "process": process.row()})

    def wait(self, name: str, *, within: float, done: Done) -> None:
        """Answer when the program is not running, or when time is up, with the row it has then."""
        process = self.processes.get(name)
        if process is None:
            done(self._unknown(name))
            return
        if not process.runs:
            done({"ok": True, "process": process.row()})
            return
        once = AnswerOnce(done)
        timer = self.loop.later(within, lambda: once({"ok": True, "process": process.row()}))

        def tell() -> None:
            timer.cancel()
            once({"ok": True, "process": process.row()})

        process.on_exit.append(tell)

    def shutdown(self, *, within: float, done: Callable[[], None]) -> None:
        """Stop everything, in reverse order of needs, each wave at once; then kill what else carries the run's tag."""
        self.closing = True
        waves = order.stop_waves({process.name: process.program["needs"] for process in self.running()})
        deadline = time.monotonic() + within

        def next_wave() -> None:
            while waves:
                left = [process for name in waves[0] if (process := self.processes[name]).runs]
                grace = max((deadline - time.monotonic()) / len(waves), LEAST_PER_WAVE)
                waves.pop(0)
                if left:
                    self._end_all(left, within=grace, then=next_wave)
                    return
            for process in self.processes.values():
                if process.state == "waiting":
                    process.state = "stopped"
                    process.note()
            if self.ours():
                for pid, started, _ in proc.find_tagged_processes(self.run):  # commands a killed harness left, daemons a program made
                    proc.kill_process(pid, started, within=0.5)
            done()

        next_wave()

    # -- what happens ------------------------------------------------------------------------------------------------

    def reap(self) -> None:
        """Reap every child that has exited and kill the rest of its process group."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            with suppress(OSError):
                os.killpg(ended.si_pid, signal.SIGKILL)  # before the pid can be reused, so this is still the program's group
            _, status = os.waitpid(ended.si_pid, 0)
            for process in list(self.processes.values()):
                if process.pid == ended.si_pid:
                    self._ended(process, os.waitstatus_to_exitcode(status))

    def rotate_logs(self) -> None:
        for process in self.running():
            rotate_log(process.program["log"])

    def bury(self) -> int:
        """Kill what a supervisor before us left running, and correct its records. Return how many were killed."""
        killed = 0
        for row in record.read_records(self.run).values():
            if row.get("state") not in record.LIVE | {"waiting"}:
                continue
            pid, started = row.get("pid"), row.get("start_time")
            if isinstance(pid, int) and isinstance(started, int) and proc.kill_process(pid, started, within=2.0):
                killed += 1
            record.write_record(self.run, {**row, "state": "lost", "pid": None, "start_time": None})
        return killed

    def _launch(self, process: Process, then: Callable[[], None], done: Done) -> None:
        try:
            process.launch(self.base_env)
        except LaunchError as error:
            log_line(f"{process.name} not started: {error}")
            done(make_refusal("launch", str(error)))
            return
        log_line(f"{process.name} started, pid {process.pid}")
        then()

    def _ended(self, process: Process, status: int) -> None:
        process.ended(status)
        if process.state == "waiting":
            process.next_delay(self.backoff)
            process.note()
            self.loop.later(process.delay, lambda: self._again(process))
        again = f", starts again in {process.delay:g} s" if process.state == "waiting" else ""
        log_line(f"{process.name} {process.state}, status {status}{again}")

    def _again(self, process: Process) -> None:
        if self.closing or process.state != "waiting" or self.processes.get(process.name) is not process:
            return
        process.restarts += 1
        try:
            process.launch(self.base_env)
        except LaunchError as error:  # the binary may be back in a moment: an upgrade replaces it
            log_line(f"{process.name} not started again: {error}")
            process.state = "waiting"
            process.note()
            self.loop.later(process.next_delay(self.backoff), lambda: self._again(process))

    def _end(self, process: Process, *, within: float, kill: bool, then: Callable[[], None]) -> None:
        if not process.runs:
            if process.state in {"waiting", "exited"}:  # it is started again, so its earlier exit is no longer reported
                process.state = "stopped"
                process.note()
            then()
            return
        process.on_exit.append(then)
        process.state = "stopping"
        process.signal(signal.SIGKILL if kill else signal.SIGTERM)
        if not kill:
            process.signal(signal.SIGCONT)  # a frozen one cannot end
            pid = process.pid
            self.loop.later(within, lambda: process.signal(signal.SIGKILL) if process.pid == pid else None)

    def _end_all(self, processes: list[Process], *, within: float, then: Callable[[], None]) -> None:
        left = len(processes)

        def one_less() -> None:
            nonlocal left
            left -= 1
            if not left:
                then()

        for process in processes:
            self._end(process, within=within, kill=False, then=one_less)

    def _unknown(self, name: str) -> Json:
        return {**make_refusal("unknown", f"no program {name} was started"), "known": sorted(self.processes)}


class AnswerOnce:
    """Passes on the first answer only."""

    def __init__(self, done: Done) -> None:
        self.done: Done | None = done

    def __call__(self, answer: Json) -> None:
        if self.done is not None:
            done, self.done = self.done, None
            done(answer)


def is_same(one: Json, other: Json) -> bool:
    """Would starting the other change anything about what runs?"""
    return all(one[key] == other[key] for key in ("argv", "env", "cwd", "nice", "log"))
