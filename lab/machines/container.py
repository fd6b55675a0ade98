"""A container of this computer's Docker as a machine: a kind node, or one that `lab.factories.containers` made.

Commands are `docker exec`, files `docker cp`, programs that keep running are units of its systemd.
"""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from lab.errors import CommandFailed, NotPossible, ProvisionError
from lab.hints import command
from lab.machines.machine import Completed, Machine
from lab.machines.owner import RemoteOwner
from lab.program import Program
from lab.wait import Cancelled

MARK = "KARMADA_LAB_COMMAND"
"""The variable by which the processes of one command are found in the container."""
KILL = """
for file in /proc/[0-9]*/environ; do
    pid=${file#/proc/}
    grep -qzxF -e "$1" "$file" 2>/dev/null && kill -9 "${pid%/environ}" 2>/dev/null
done
true
"""
NOT_EXECUTED = (126, 127)
REFUSED = "OCI runtime exec failed"
"""What Docker says, beside one of these statuses, of a command that it could not execute."""


@dataclass(frozen=True)
class Container:
    """A running container, by name; `engine` is the machine with its Docker engine."""

    name: str
    engine: Machine
    lab: str = ""
    """The lab of this node; "" when it belongs to none."""
    make_owner: Callable[[Container], RemoteOwner] | None = field(default=None, compare=False)
    """Returns the owner of a lab's programs in it; None for a container that runs none."""

    def run(
        self, argv: Sequence[str], *, input: str | bytes | None = None, env: Mapping[str, str] | None = None, within: float = 60.0
    ) -> Completed:
        """Run a command in the container; see `Machine.run`.

        Docker says 128 + N both of a command that signal N ended and of one that exits with 128 + N: both are the status -N here. When
        time is up or we are interrupted, a command on a machine of a lab is killed with its children; in a node of kind it may continue.
        """
        client = ["docker", "exec", *(["--interactive"] if input is not None else [])]
        client += [arg for name, value in (env or {}).items() for arg in ("--env", f"{name}={value}")]
        mark = f"{MARK}={secrets.token_hex(8)}"
        if self.make_owner is not None:
            client += ["--env", mark]
        try:
            return self.engine.run([*client, self.name, *argv], input=input, within=within)
        except Cancelled:
            self._kill(mark)
            raise
        except CommandFailed as failed:
            if failed.status == -signal.SIGKILL:  # Docker's client was killed
                self._kill(mark)
            output, remedy = failed.output, failed.remedy
            if not output and (hint := self.engine_remedy()):  # the client was cut off without output
                output, remedy = "Docker stopped answering", hint
            status = read_exit_status(failed.status, output)
            raise CommandFailed(argv, status=status, output=output, machine=self.name, remedy=remedy) from failed

    def _kill(self, mark: str) -> None:
        """Kill the processes in the container that carry a mark in their environment."""
        if self.make_owner is not None:
            with suppress(ProvisionError):  # the container has ended
                self.engine.run(["docker", "exec", self.name, "sh", "-c", KILL, "sh", mark], within=20.0)

    @property
    def retry_hint(self) -> str:
        """Return the commands that restore the lab of this container once Docker runs."""
        if not self.lab:
            return "run this again"
        return f"{command('down', lab=self.lab)}, then {command('up', lab=self.lab)}"

    def engine_remedy(self) -> str:
        """Return the remedy for an engine that does not answer; "" when it answers."""
        try:
            self.engine.run(["docker", "version", "--format", "{{.Server.Version}}"], within=10.0)
        except CommandFailed:
            return f"start Docker (make setup-docker on Debian), then {self.retry_hint}"
        return ""

    def put(self, src: Path, dst: Path) -> None:
        """Copy a file into the container, whole or not at all; mode and directories included, owned by root."""
        if not src.is_file():
            raise ProvisionError(f"copying {src} to {dst} failed: there is no such file", where=self.name)
        part = hidden_name(dst)
        self.run(["mkdir", "-p", "--", str(PurePath(dst).parent)])
        try:
            self.engine.run(["docker", "cp", "--quiet", str(src), f"{self.name}:{part}"], within=300.0)
            self.run(["mv", "-fT", "--", str(part), str(dst)])
        except BaseException:
            with suppress(ProvisionError):
                self.run(["rm", "-f", "--", str(part)])
            raise

    def get(self, src: Path, dst: Path) -> None:
        """Copy a file of the container to this computer, whole or not at all, with its mode."""
        dst.parent.mkdir(parents=True, exist_ok=True)
        part = hidden_name(dst)
        try:
            self.engine.run(["docker", "cp", "--follow-link", f"{self.name}:{src}", str(part)], within=300.0)
            if not part.is_file():
                raise ProvisionError(f"copying {src} to {dst} failed: it is not a file", where=self.name)
            part.replace(dst)
        finally:
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)

    def start(self, program: Program) -> None:
        """Start a program as a unit of the container's systemd; see `Machine.start`. Its paths are those in the container."""
        self.owner.start(program)

    def stop(self, name: str, *, within: float = 10.0, kill: bool = False) -> None:
        """End a program; see `Machine.stop`."""
        self.owner.stop(name, within=within, kill=kill)

    @property
    def owner(self) -> RemoteOwner:
        """The owner of the lab's programs in it. NotPossible for a container outside a lab: no lab would remove what the programs leave."""
        if self.make_owner is None:
            raise NotPossible(f"running programs in {self.name} failed: it does not belong to a lab", where=self.name, remedy="docker exec")
        return self.make_owner(self)


def read_exit_status(status: int | None, output: str) -> int | None:
    """Return the status of a command by that of Docker's client and its output: None when it could not be executed, -N by signal N."""
    if status is not None and status in NOT_EXECUTED and REFUSED in output:
        return None
    if status is not None and 128 < status <= 128 + signal.SIGRTMAX:
        return 128 - status
    return status


def hidden_name(path: Path) -> Path:
    """Return a name beside a file for its copy until that is complete."""
    return path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.karmada-lab-part")
