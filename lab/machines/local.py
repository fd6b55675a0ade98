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

from lab.errors import CommandFailed, ProvisionError
from lab.machines import Completed, Program
from lab.supervisor import proc
from lab.supervisor.client import Supervisor


class Local:
    """This computer, for one run: its programs belong to the supervisor of the run directory, its commands carry the run's tag.

    Commands have TMPDIR and kubectl's cache in the run directory.
    """

    name = "local"

    def __init__(self, run: Path) -> None:
        self.supervisor = Supervisor(run)

    def run(
        self, argv: Sequence[str], *, input: str | bytes | None = None, env: Mapping[str, str] | None = None, within: float = 60.0
    ) -> Completed:
        """Run a command to its end; see `Machine.run`. When time is up or we are interrupted, it and its children are killed."""
        began = time.monotonic()
        temporary = self.supervisor.run / "scratch"
        if self.supervisor.run.is_dir():
            temporary.mkdir(exist_ok=True)
        # Nothing of a run is left in /tmp or ~/.kube, not even by a kubectl that was killed.
        ours = {"TMPDIR": str(temporary), "KUBECACHEDIR": str(temporary / "kube"), proc.TAG: str(self.supervisor.run)}
        try:
            child = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **ours, **(env or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(argv, status=None, output=f"{error.strerror}: {error.filename or argv[0]}") from error
        with child:
            try:
                out, err = child.communicate(input.encode() if isinstance(input, str) else input, timeout=within)
            except BaseException as error:
                os.killpg(child.pid, signal.SIGKILL)  # not reaped yet: the group is still its own
                out, err = child.communicate()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                said = (err + out).decode(errors="replace")
                raise CommandFailed(argv, status=None, output=f"not within {within:g} s; killed\n{said}") from None
        stdout, stderr = out.decode(errors="replace"), err.decode(errors="replace")
        if child.returncode:
            raise CommandFailed(argv, status=child.returncode, output=stdout + stderr)
        return Completed(tuple(argv), stdout, stderr, time.monotonic() - began)

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
