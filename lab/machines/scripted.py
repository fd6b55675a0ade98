"""A machine that answers from a table: for unit tests and `--dry-run`. Nothing is ever run.

    machine = Scripted({("kubectl", "version"): "v1.35.4", ("karmadactl", "join"): ScriptedFailure(1, "already exists")})

A command is answered by the longest key that its argv begins with. `done` keeps the calls in order; printed
with `transcript()` it reads as the commands one would type, which is what golden files hold.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import CommandFailed, ProvisionError, UsageError
from lab.machines.machine import Completed
from lab.program import Program


@dataclass(frozen=True)
class ScriptedFailure:
    """The answer of a command that fails."""

    status: int | None = 1
    output: str = ""


@dataclass(frozen=True)
class ScriptedResult:
    """One call: the verb (run, put, get, start or stop) and its arguments."""

    verb: str
    args: tuple[str, ...]
    input: bytes | None = None


Answer = str | ScriptedFailure | Callable[[tuple[str, ...]], "str | ScriptedFailure"]


class Scripted:
    """A conforming Machine. With `strict`, a command that is not in the table is an error; otherwise it prints nothing and succeeds."""

    def __init__(self, answers: Mapping[tuple[str, ...], Answer] | None = None, *, name: str = "scripted", strict: bool = True) -> None:
        self._answers = dict(answers or {})
        self._name = name
        self._strict = strict
        self._lock = threading.Lock()
        self.done: list[ScriptedResult] = []
        self.programs: dict[str, Program | None] = {}
        """What was started, by name; None once stopped."""

    @property
    def name(self) -> str:
        return self._name

    def run(
        self,
        argv: Sequence[str],
        *,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,  # noqa: ARG002 (Machine's)
        within: float = 60.0,  # noqa: ARG002
    ) -> Completed:
        """Answer from the table. CommandFailed for a ScriptedFailure; UsageError for a command that is not in a strict table."""
        args = tuple(argv)
        self._keep("run", args, input.encode() if isinstance(input, str) else input)
        keys = [key for key in self._answers if args[: len(key)] == key]
        if not keys:
            if self._strict:
                raise UsageError(f"the script has no answer to: {shlex.join(args)}")
            return Completed(args, "", "", 0.0)
        answer = self._answers[max(keys, key=len)]
        given = answer(args) if callable(answer) else answer
        if isinstance(given, ScriptedFailure):
            raise CommandFailed(args, status=given.status, output=given.output, machine=self._name)
        return Completed(args, given, "", 0.0)

    def put(self, src: Path, dst: Path) -> None:
        """Note it."""
        self._keep("put", (str(src), str(dst)))

    def get(self, src: Path, dst: Path) -> None:
        """Note it; no file appears."""
        self._keep("get", (str(src), str(dst)))

    def start(self, program: Program) -> None:
        """Note it. ProvisionError when a program of that name was started otherwise and not stopped since."""
        running = self.programs.get(program.name)
        if running is not None and running != program:
            raise ProvisionError(f"{program.name} runs already, with other arguments", where=self._name)
        self._keep("start", (program.name, *program.argv))
        self.programs[program.name] = program

    def stop(self, name: str, *, within: float = 10.0, kill: bool = False) -> None:  # noqa: ARG002
        """Note it. UsageError when no program of that name was ever started."""
        if name not in self.programs:
            raise UsageError(f"no program {name} was started", where=self._name)
        self._keep("stop", (name, "--kill") if kill else (name,))
        self.programs[name] = None

    def transcript(self) -> str:
        """Return all that was done, one line each, as a shell would take it."""
        return "".join(f"{'' if done.verb == 'run' else done.verb + ' '}{shlex.join(done.args)}\n" for done in self.done)

    def _keep(self, verb: str, args: tuple[str, ...], given: bytes | None = None) -> None:
        with self._lock:
            self.done.append(ScriptedResult(verb, args, given))
