"""Programs as units of a machine's systemd: rendered, started, ended. Every unit is named for its run and lies in /run.

A unit's text describes the whole program, so that equal units mean equal programs. A restart of the machine removes it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from jinja2 import Environment, StrictUndefined

from lab.errors import CommandFailed, ProvisionError, UsageError
from lab.external_names import external_name
from lab.machines.machine import Machine
from lab.program import Program
from lab.wait import NotYet, until

FOLDER = PurePosixPath("/run/systemd/system")
TEMPLATE = Path(__file__).parent / "templates" / "program.service.j2"
OPEN_FILES, GRACE = "65536:524288", 60
"""The limits of open files, soft and hard, and the seconds that a program has to end when its lease does."""
GONE = frozenset({"inactive", "failed"})


def unit_name(run_id: str, program: str) -> str:
    """Return the name of a program's unit: karmada-lab.RUN.CLUSTER:PROGRAM.service."""
    return external_name(run_id, re.sub(r"[^a-zA-Z0-9:_.-]", "_", program.replace("/", ":"))) + ".service"


def lease_unit(run_id: str) -> str:
    """Return the name of the unit that all units of a run are bound to."""
    return external_name(run_id, "lease") + ".service"


def render_unit(program: Program, run_id: str, *, lease: str = "", restart: bool = False) -> str:
    """Return the text of a program's unit. `lease` names the unit that ends it; with `restart` systemd starts it again when it ends."""
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 (a unit is no HTML)
    template = environment.from_string(TEMPLATE.read_text())
    return template.render(
        name=program.name,
        run=run_id,
        lease=lease,
        needs=[unit_name(run_id, need) for need in program.needs],
        argv=" ".join(quote(arg) for arg in program.argv),
        env=[quote(f"{name}={value}", variables=False) for name, value in sorted(program.env.items())],
        cwd=str(program.cwd).replace("%", "%%") if program.cwd else "",
        nice=program.nice,
        log=str(program.log).replace("%", "%%"),
        files=OPEN_FILES,
        grace=GRACE,
        restart=restart,
        program=json.dumps([program.name, program.argv, str(program.log), program.needs, program.ports]),
    )


NOT_EXECUTED = ("203",)
"""What systemd says is the status of a program that it could not execute (EXIT_EXEC in systemd.exec(5))."""


def read_program(text: str) -> Program:
    """Return the program of a unit's text, as far as its first line holds it: name, argv, log, needs, ports."""
    name, argv, log, needs, ports = json.loads(text.partition("\n")[0].removeprefix("# "))
    return Program(name, tuple(argv), Path(log), needs=tuple(needs), ports=tuple(ports))


def quote(text: str, *, variables: bool = True) -> str:
    """Return one word as a unit's ExecStart takes it: no specifier, variable or escape in it counts. See systemd.service(5)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped.replace("$", "$$") if variables else escaped}"'


def start_unit(machine: Machine, name: str, text: str) -> None:
    """Start a unit, unless it runs as this text says. ProvisionError when it runs otherwise; CommandFailed when it cannot be executed.

    The folder of its log must be there.
    """
    runs = read_state(machine, name) not in GONE
    if runs and read_unit(machine, name) == text:
        return
    if runs:
        raise ProvisionError(f"starting {name} failed: it runs already, with other arguments", where=machine.name, remedy="stop it first")
    machine.run(["tee", str(FOLDER / name)], input=text)
    machine.run(["systemctl", "daemon-reload"])
    with suppress(CommandFailed):  # it is loaded only where it failed before
        machine.run(["systemctl", "reset-failed", name])
    try:
        machine.run(["systemctl", "start", name])
    except CommandFailed as failed:
        raise explain_start(machine, name, failed) from failed


def explain_start(machine: Machine, name: str, failed: CommandFailed) -> CommandFailed:
    """Return the error of a unit that did not start, with what its journal says; one that could not be executed has no status."""
    try:
        log = machine.run(["journalctl", "--unit", name, "--lines", "5", "--no-pager", "--output", "cat"]).stdout
        ended = machine.run(["systemctl", "show", "--property", "ExecMainStatus", "--value", name]).stdout.strip()
    except CommandFailed:
        return failed
    status = None if ended in NOT_EXECUTED else failed.status
    return CommandFailed(failed.argv, status=status, output=f"{failed.output}{log}", machine=machine.name)


def stop_unit(machine: Machine, name: str, *, within: float = 10.0, kill: bool = False) -> None:
    """End a unit: TERM, KILL after `within` seconds or at once with `kill`; on return it is gone. UsageError when it was never started."""
    if read_unit(machine, name) is None:
        raise UsageError(f"stopping {name} failed: it was never started", where=machine.name)
    if kill:
        send_kill(machine, name)
    machine.run(["systemctl", "stop", "--no-block", name])
    deadline = time.monotonic() + within

    def check_gone() -> None:
        state = read_state(machine, name)
        if state in GONE:
            return
        if time.monotonic() >= deadline:
            send_kill(machine, name)
        raise NotYet(state)

    until(check_gone, what=f"{name} on {machine.name} ends", within=within + 30.0)


def remove_units(machine: Machine, run_id: str) -> list[str]:
    """End every unit of a run at once, remove their files and return their names. Twice is fine."""
    names = list(list_units(machine, run_id))
    for name in names:
        send_kill(machine, name)
    if names:
        machine.run(["systemctl", "stop", *names], within=90.0)
        machine.run(["rm", "-f", *(str(FOLDER / name) for name in names)])
        machine.run(["systemctl", "daemon-reload"])
        with suppress(CommandFailed):
            machine.run(["systemctl", "reset-failed", *names])
    return names


def list_units(machine: Machine, run_id: str) -> Iterator[str]:
    """Yield the units of a run that have a file."""
    listed = machine.run(["find", str(FOLDER), "-maxdepth", "1", "-type", "f", "-printf", "%f\\n"]).stdout.split()
    yield from (name for name in listed if name.startswith(external_name(run_id, "")))


def read_unit(machine: Machine, name: str) -> str | None:
    """Return the text of a unit; None when there is none."""
    try:
        return machine.run(["cat", str(FOLDER / name)]).stdout
    except CommandFailed as failed:
        if failed.status == 1 and "No such file" in failed.output:
            return None
        raise


def read_state(machine: Machine, name: str) -> str:
    """Return what systemd calls the state of a unit: active, inactive, failed, activating, deactivating."""
    shown = machine.run(["systemctl", "show", "--property", "ActiveState", "--value", name]).stdout
    return shown.strip()


def send_kill(machine: Machine, name: str) -> None:
    """Send KILL to all processes of a unit; one that has none is fine."""
    with suppress(CommandFailed):
        machine.run(["systemctl", "kill", "--signal", "KILL", name])
