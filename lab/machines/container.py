"""A container of this computer's Docker as a machine: a kind node, or one that `lab.factories.containers` made.

Commands are `docker exec`, files `docker cp`, programs that keep running are units of its systemd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from lab.errors import CommandFailed, NotPossible
from lab.hints import command
from lab.machines.machine import Completed, Machine
from lab.machines.owner import RemoteOwner
from lab.program import Program


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

        After a timeout the command may continue in the container: only Docker's client is killed.
        """
        client = ["docker", "exec", *(["--interactive"] if input is not None else [])]
        client += [arg for name, value in (env or {}).items() for arg in ("--env", f"{name}={value}")]
        try:
            return self.engine.run([*client, self.name, *argv], input=input, within=within)
        except CommandFailed as failed:
            output, remedy = failed.output, failed.remedy
            if not output and (hint := self.engine_remedy()):  # the client was cut off without output
                output, remedy = "Docker stopped answering", hint
            raise CommandFailed(argv, status=failed.status, output=output, machine=self.name, remedy=remedy) from failed

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
        """Copy a file into the container; directories included, owned by root."""
        self.run(["mkdir", "-p", str(PurePath(dst).parent)])
        self.engine.run(["docker", "cp", "--quiet", str(src), f"{self.name}:{dst}"], within=300.0)

    def get(self, src: Path, dst: Path) -> None:
        """Copy a file of the container to this computer."""
        dst.parent.mkdir(parents=True, exist_ok=True)
        self.engine.run(["docker", "cp", f"{self.name}:{src}", str(dst)], within=300.0)

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
