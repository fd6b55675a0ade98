"""This computer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import environment, proc
from lab.docker_engine import find_command_engine
from lab.errors import CommandFailed, ProvisionError
from lab.machines.machine import Completed
from lab.program import Program
from lab.supervisor.client import Supervisor
from lab.wait import Cancelled, watch_interrupt

LOOK_EVERY = 0.25
"""Seconds between two checks for an interrupt while a command runs."""


class Local:
    """This computer, for one run: its programs belong to the supervisor of the run directory, its commands carry the run's tag.

    Commands have TMPDIR and kubectl's cache in the run directory; of the caller's environment they have what `lab.environment` allows,
    and Docker's client talks to the engine that the run records.
    """

    name = "local"

    def __init__(self, run: Path) -> None:
        self.supervisor = Supervisor(run)

    def run(
        self, argv: Sequence[str], *, input: str | bytes | None = None, env: Mapping[str, str] | None = None, within: float = 60.0
    ) -> Completed:
        """Run a command to its end; see `Machine.run`. When time is up or we are interrupted, it and its children are killed.

        An interrupt ends what runs then (Cancelled); what is run afterwards, to save evidence and clean up, runs to its end.
        """
        began = time.monotonic()
        with self._started(argv, env, input.encode() if isinstance(input, str) else input or b"") as child:
            try:
                out, err = wait_finished(child, within)
            except BaseException as error:
                if child.returncode is None:
                    os.killpg(child.pid, signal.SIGKILL)  # not reaped yet: the group is still its own
                printed = b"".join(drain(child)).decode(errors="replace")
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                raise CommandFailed(argv, status=-signal.SIGKILL, output=f"not within {within:g} s; killed\n{printed}") from None
        stdout, stderr = out.decode(errors="replace"), err.decode(errors="replace")
        if child.returncode:
            raise CommandFailed(argv, status=child.returncode, output=stdout + stderr)
        return Completed(tuple(argv), stdout, stderr, time.monotonic() - began)

    def _started(self, argv: Sequence[str], env: Mapping[str, str] | None, given: bytes) -> subprocess.Popen[bytes]:
        scratch = self.supervisor.run / "scratch"
        if self.supervisor.run.is_dir():
            scratch.mkdir(exist_ok=True)
        # Nothing of a run is left in /tmp or ~/.kube, not even by a kubectl that was killed.
        ours = {"TMPDIR": str(scratch), "KUBECACHEDIR": str(scratch / "kube"), proc.TAG: str(self.supervisor.run)}
        stdin = os.memfd_create("stdin")  # a file, not a pipe: no thread has to write while the command reads slowly
        try:
            with open(stdin, "wb", closefd=False) as file:
                file.write(given)
            os.lseek(stdin, 0, os.SEEK_SET)
            return subprocess.Popen(
                list(argv),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**environment.inherit(argv, engine=find_command_engine(self.supervisor.run)), **ours, **(env or {})},
                umask=environment.UMASK,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(argv, status=None, output=f"{error.strerror}: {error.filename or argv[0]}") from error
        finally:
            os.close(stdin)

    def put(self, src: Path, dst: Path) -> None:
        """Copy a file, whole or not at all; a file onto itself is left alone."""
        try:
            if dst.exists() and src.samefile(dst):
                return
            dst.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=f".{dst.name}.", dir=dst.parent)
            os.close(handle)
            try:
                shutil.copy2(src, temporary)
                Path(temporary).replace(dst)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise ProvisionError(f"cannot copy {src}: {error.strerror}", where=str(dst)) from error

    def get(self, src: Path, dst: Path) -> None:
        """Copy a file: on this computer the same as `put`."""
        self.put(src, dst)

    def start(self, program: Program) -> None:
        """Start a program under the supervisor of this run, which is started if need be."""
        self.supervisor.start(program)

    def stop(self, name: str, *, within: float = 10.0, kill: bool = False) -> None:
        """End a program of this run."""
        self.supervisor.stop(name, within=within, kill=kill)


def wait_finished(child: subprocess.Popen[bytes], within: float) -> tuple[bytes, bytes]:
    """Return what a command printed once it has ended. TimeoutExpired when time is up; Cancelled when we are interrupted meanwhile."""
    deadline = time.monotonic() + within
    interrupted = watch_interrupt()
    while True:
        left = deadline - time.monotonic()
        try:
            return child.communicate(timeout=max(min(left, LOOK_EVERY), 0.0))
        except subprocess.TimeoutExpired:
            if interrupted():
                raise Cancelled from None
            if left <= LOOK_EVERY:
                raise


def drain(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return what a killed command had printed; a daemon it left may hold its output open, and is not waited for."""
    try:
        return child.communicate(timeout=1.0)
    except subprocess.TimeoutExpired as late:
        return late.stderr or b"", late.stdout or b""
