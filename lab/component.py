"""Programs as data: command line, needs, health.

The start order is never written down: it is computed from `needs` (lab.steps). Flags are layered: a recipe's defaults, then what
a spec changes or drops, rendered sorted, so that a transcript is the same every time and a test can change one flag.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from lab.errors import UsageError
from lab.machines.owner import ProgramOwner
from lab.program import Program
from lab.run import Run
from lab.steps import Step
from lab.supervisor.client import Supervisor
from lab.wait import NotYet

Flags = Mapping[str, str | Sequence[str] | None]


@dataclass(frozen=True)
class Health:
    """An HTTP endpoint that answers 200 when the component serves. With `ca` it is asked over TLS and its certificate checked.

    A URL `tls://HOST:PORT` checks the certificate only: for servers of another protocol, and for those that require a client certificate.
    """

    url: str
    ca: Path | None = None


@dataclass(frozen=True)
class Component:
    """One program of a lab.

    `name` is "<cluster>/<program>"; `needs` are names of steps. It serves when all endpoints in `ready` answer and `proof`, called after
    them, returns: it raises NotYet while something else is missing (a lease without a holder). `priority` and `cpu_bound` are its step's.
    `machine` names the machine of the run that it runs on, "" this computer; `binary` and the paths in its flags are those there.
    `kind` is what it is an instance of: karmada-scheduler for karmada/karmada-scheduler-2. A spec names its settings by kind.
    """

    name: str
    binary: Path
    flags: Flags
    needs: tuple[str, ...] = ()
    ready: tuple[Health, ...] = ()
    proof: Callable[[], object] | None = field(default=None, compare=False)
    ports: Mapping[str, int] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    within: float = 90.0
    priority: int = 0
    cpu_bound: bool = False
    machine: str = ""
    kind: str = ""

    @property
    def argv(self) -> tuple[str, ...]:
        return (str(self.binary), *self.args, *render_flags(self.flags))

    def changed(self, *, flags: Flags | None = None, env: Mapping[str, str] | None = None) -> Component:
        """Return this component with flags and environment layered over its own; a flag of None is dropped."""
        return replace(self, flags={**self.flags, **(flags or {})}, env={**self.env, **(env or {})})


def render_flags(flags: Flags) -> list[str]:
    """Return flags as arguments, sorted by name: `--k=v`, one per value of a list; None drops the flag."""
    rendered: list[str] = []
    for name in sorted(flags):
        value = flags[name]
        if value is None:
            continue
        rendered.extend(f"--{name}={each}" for each in ([value] if isinstance(value, str) else value))
    return rendered


def parse_flags(args: Sequence[str], *, strict: bool = False) -> dict[str, str | list[str]]:
    """Return the flags among the arguments of a program by name, a list for a repeated flag: the opposite of `render_flags`.

    A value follows an equals sign or is the next argument; a flag without one is "true". Other arguments, as the program's own name, are
    skipped; `strict` raises ValueError with the first of them.
    """
    found: dict[str, list[str]] = {}
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            if strict:
                raise ValueError(word)
            continue
        name, assigned, value = word.removeprefix("--").partition("=")
        if not assigned:
            value = rest.pop(0) if rest and not rest[0].startswith("-") else "true"
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def make_steps(components: Sequence[Component], run: Run) -> list[Step]:
    """Return one step for each component, which starts it and waits until it serves. One that serves already is left alone."""
    return [Step(each.name, partial(start, each, run), each.needs, priority=each.priority, cpu_bound=each.cpu_bound) for each in components]


def start(component: Component, run: Run) -> None:
    """Start a component through the owner of its machine's programs and return when it serves.

    ComponentExited with the end of its log when it exits before; NotReady with the same on a timeout. Once it is ready, the
    supervisor restarts it when it crashes, as a kubelet would. Starting one that runs changes nothing.
    """
    record_health(component, run)
    owner = find_owner(run, component.machine)
    owner.start(make_program(component, run, owner.run))
    wait_ready(component, run)


def remove(name: str, run: Run) -> None:
    """Stop a program and forget it: the lab is no longer expected to run it. One that never ran is fine."""
    known = run.recorded(HEALTH, record_name(name)) or {}
    run.forget(HEALTH, record_name(name))
    with suppress(UsageError):
        find_owner(run, known.get("machine", "")).stop(name)


def find_owner(run: Run, machine: str) -> ProgramOwner:
    """Return what owns the programs of a run on a machine, "" being this computer."""
    if not machine:
        return Supervisor(run.path)
    from lab.machines.registry import open_owner  # noqa: PLC0415 (0.08 s of CPU, of 0.5 s that `lab status` takes)

    return open_owner(run, machine)


HEALTH = "health"
"""The kind of the records of programs that a lab is expected to run, with their health endpoints."""


def record_health(component: Component, run: Run) -> None:
    """Record that the lab is expected to run this program, and its health endpoints."""
    ready = [[health.url, str(health.ca) if health.ca else None] for health in component.ready]
    run.record(HEALTH, record_name(component.name), {"name": component.name, "ready": ready, "machine": component.machine})


def read_health(run: Run) -> dict[str, tuple[Health, ...]]:
    """Return the endpoints of each program that the lab is expected to run, by the program's name."""
    return {row["name"]: tuple(Health(url, Path(ca) if ca else None) for url, ca in row["ready"]) for row in run.records(HEALTH).values()}


def record_name(program: str) -> str:
    """Return the name of a program's record: a program's name has a slash, a file's may not."""
    return program.replace("/", "+")


def replace_component(component: Component, run: Run, *, between: Callable[[], object] | None = None, grace: float = 10.0) -> bool:
    """Run a component with these arguments and wait until it serves; return whether that changed anything.

    One that runs with the same arguments is left alone. One with other arguments is stopped first, within `grace` seconds;
    `between` is called after it has ended.
    """
    owner = find_owner(run, component.machine)
    state = owner.programs().get(component.name)
    same = state is not None and state.runs and state.argv == component.argv
    if not same and state is not None:
        owner.stop(component.name, within=grace)
        if between:
            between()
    start(component, run)
    return not same


def make_program(component: Component, run: Run, root: Path | None = None) -> Program:
    """Return the program that a machine starts for a component. `root` is the run's directory there; None is that of this computer."""
    cluster = component.name.partition("/")[0]
    elsewhere = root if component.machine else None
    return Program(
        name=component.name,
        argv=component.argv,
        env=component.env,
        cwd=elsewhere / "data" / cluster if elsewhere else run.folder("data", cluster),
        log=elsewhere / "logs" / f"{component.name}.log" if elsewhere else run.log(component.name),
        needs=component.needs,
        ports=tuple(component.ports.values()),
    )


def wait_ready(component: Component, run: Run) -> None:
    """Wait until a started component serves; errors as in `start`."""
    questions = [HealthProbe(health) for health in component.ready]

    def serving() -> None:
        for question in questions:
            question.ask()
        if component.proof:
            component.proof()

    try:
        find_owner(run, component.machine).ready(component.name, serving, within=component.within, what=f"{component.name} serves")
    finally:
        for question in questions:
            question.connection.close()


class HealthProbe:
    """A probe of a health endpoint over one kept-alive connection.

    Four API servers are asked some forty times each while they start. A fresh httpx client each time took 15 ms of CPU, a tenth of all that
    bringing a lab up takes; this takes one.
    """

    def __init__(self, health: Health, *, within: float = 2.0) -> None:
        self.url = health.url
        address = urlsplit(health.url)
        assert address.hostname is not None
        self.path = address.path
        self.handshake = address.scheme == "tls"
        self.connection: HTTPConnection = (
            HTTPSConnection(address.hostname, address.port, timeout=within, context=trust_only(health.ca))
            if health.ca
            else HTTPConnection(address.hostname, address.port, timeout=within)
        )

    def ask(self) -> None:
        """Return when the endpoint answers 200, or shows a trusted certificate; NotYet with what it answered instead."""
        try:
            if self.handshake:
                self.connection.connect()
                self.connection.close()
                return
            self.connection.request("GET", self.path)
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, HTTPException) as error:
            self.connection.close()
            raise NotYet(f"{self.url}: {error or type(error).__name__}") from error
        if answer.status != 200:
            raise NotYet(f"{self.url}: {answer.status}")


def trust_only(ca: Path) -> ssl.SSLContext:
    """Return a TLS context that trusts one CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(ca))
    return context
