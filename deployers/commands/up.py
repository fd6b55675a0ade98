"""`lab up`: bring up a lab; leave running parts alone."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from deployers.commands.plan import show_plan
from deployers.commands.tools import clients
from deployers.release import make_supply
from deployers.up.bring_up import Brought, bring_up
from deployers.wanted import Wanted, read_wanted
from lab.assets.refs import is_path
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, SpecRequest, SupplyRequest, option, take_options
from lab.count import count
from lab.errors import LabError
from lab.hints import command
from lab.interrupt import Interrupted
from lab.lock import Holder, lock_run, release_lock
from lab.run import Run, runs_root
from lab.specs import DEFAULT
from lab.status.checks import HOST_CONTEXT
from lab.status.lab_status import LabStatus, lab_status
from lab.supervisor.client import Supervisor
from lab.terminal.drawing import open_drawing
from lab.terminal.text import Look, bytes_text, say, seconds_text

Json = dict[str, Any]
WITHIN = 3600.0
"""Seconds for which another command that changes the lab is waited for: one that builds its programs takes a quarter of an hour."""

PlanOption = Annotated[bool, option("--plan", "--dry-run", help="Print the steps and assets; create nothing.")]


@dataclass(frozen=True, kw_only=True)
class UpRequest(SupplyRequest, SpecRequest):
    """The options of `lab up`."""

    lab: LabName = DEFAULT_LAB
    plan: PlanOption = False
    output: OutputOption = Output.text


@take_options(UpRequest)
def up(asked: UpRequest) -> None:
    """Bring up a lab: clusters, Karmada, members joined.

    Leaves running parts alone.

    The lab runs until `lab down`. After a failure or an interrupt its programs are stopped; its directory, with the evidence, stays until
    `lab down`.
    """
    began, lab = time.monotonic(), asked.lab
    arguments = fingerprint(asked)
    if not asked.plan and (seen := find_unchanged(lab, arguments)) is not None:
        finish(seen, seconds=time.monotonic() - began, changed=False, output=asked.output)
        return
    if asked.plan:
        show_plan(read_wanted(asked.spec, asked.changes), lab=lab, supply=make_supply(asked.choices), output=asked.output)
        return
    lock = lock_run(runs_root() / lab, within=WITHIN, waiting=say_waiting)  # before what takes seconds: `lab down` finds us by it
    try:
        bring_up_lab(asked, arguments, began)
    finally:
        release_lock(lock, runs_root() / lab)


def bring_up_lab(asked: UpRequest, arguments: str, began: float) -> None:
    """Bring the lab up and print what exists now. `began` is when the command began."""
    lab, wanted = asked.lab, read_wanted(asked.spec, asked.changes)
    try:
        with open_drawing(f"lab {lab}") as screen:
            supply = make_supply(asked.choices, progress=screen.progress)
            brought = bring_up(wanted, lab, supply=supply, watcher=screen.watcher)
        keep_lab(brought, wanted, arguments)
    except (LabError, Interrupted) as error:
        error.add_note(what_remains(lab, time.monotonic() - began))
        raise
    finish(lab_status(brought.lab.run), seconds=time.monotonic() - began, changed=brought.changed, output=asked.output)


def say_waiting(holder: Holder | None, waited: float) -> None:
    """Say for which command `lab up` waits."""
    say(f"waiting for {holder or 'another command'}, which changes the lab ({seconds_text(waited)})")


def fingerprint(asked: UpRequest) -> str:
    """Return a hash of the lab file and the options; "" when the file cannot be read (parsing it raises the error)."""
    try:
        text = (asked.spec or DEFAULT).read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(text + json.dumps([asked.changes, asked.choices.document], sort_keys=True).encode()).hexdigest()


def find_unchanged(lab: str, arguments: str) -> LabStatus | None:
    """Return the status of a lab that was brought up with the same arguments and serves; None when there may be work to do."""
    if not arguments or not (runs_root() / lab / "run.json").exists():
        return None
    run = Run.load(lab)
    record = run.recorded("up", "arguments")
    if record is None or record.get("arguments") != arguments:
        return None
    seen = lab_status(run)
    programs = sorted(f"{part.cluster}/{part.name}" for part in seen.components if part.state == "running")
    return seen if seen.ok and programs == record.get("programs") else None


def keep_lab(brought: Brought, wanted: Wanted, arguments: str) -> None:
    """Let the lab run on after this process, and record its arguments and programs."""
    run = brought.lab.run
    brought.hold.release(keep=True)
    clients(run)
    if wanted.karmada and is_path(wanted.karmada.release):
        run.forget("up", "arguments")  # a checkout's content may have changed by the next time
        return
    programs = sorted(f"{part.cluster}/{part.name}" for part in lab_status(run).components if part.state == "running")
    run.record("up", "arguments", {"arguments": arguments, "programs": programs})


def what_remains(lab: str, seconds: float) -> str:
    """Return the leftovers of a failure or an interrupt, and the commands to remove or retry it."""
    path = runs_root() / lab
    after = f"after {seconds_text(seconds)}"
    if not (path / "run.json").exists():
        return f"{after}: nothing was created"

    seen = Supervisor(path).status()
    running = sum(state.runs for state in seen.programs.values()) if seen else 0
    runs = f"{count(running, 'program')} of it still run" if running else "none of its programs runs"
    down, again = command("down", lab=lab), command("up", lab=lab)
    return f"{after}: {runs}; journal, logs and evidence are in {path}\n`{down}` removes them; `{again}` tries again"


def finish(seen: LabStatus, *, seconds: float, changed: bool, output: Output) -> None:
    """Print what exists now and what to do next."""
    if output is Output.json:
        print(json.dumps({**seen.document(), "changed": changed, "seconds": round(seconds, 3)}, indent=1))
        return
    asked = Run.load(seen.lab).asked["lab"]
    given = [str(cluster["name"]) for cluster in (asked.get("host", {}), *asked.get("members", [])) if cluster.get("kubeconfig")]
    print("\n".join(summary(seen, first_context(asked), given, seconds=seconds, changed=changed, look=Look.of(sys.stdout))))


def first_context(asked: Json) -> str:
    """Return the kubeconfig context of a lab's first member, or of its host cluster when it has no member."""
    return next((str(member["name"]) for member in asked.get("members", [])), HOST_CONTEXT)


def summary(seen: LabStatus, context: str, given: Sequence[str] = (), *, seconds: float, changed: bool, look: Look) -> list[str]:
    """Return the closing lines of `lab up`. `given` are the clusters that exist."""
    how = "is up" if changed else "was up already: nothing changed"
    clusters = sorted({part.cluster for part in seen.components if part.name in {"kube-apiserver", "node"} and part.cluster != "karmada"})
    clusters += given
    lines = [
        f"lab {look.paint(seen.lab, 'bold')} {look.paint(how, 'green')} ({seconds_text(seconds)})",
        f"  clusters  {', '.join(clusters)}",
    ]
    if seen.members is not None:
        members = [f"{m.name} ({m.mode}{'' if m.ready else ', not Ready'})" for m in seen.members]
        lines.append(f"  Karmada   with {', '.join(members) or 'no members'}")
    running = [part for part in seen.components if part.state == "running"]
    elsewhere = sum(part.rss == 0 for part in running)
    beside = f"; {elsewhere} more in containers or on machines" if elsewhere else ""
    lines.append(f"  memory    {bytes_text(seen.rss)} in {count(len(running) - elsewhere, 'program')}{beside}")
    lines += [f"  {look.paint('note', 'yellow')}      {note}" for note in seen.notes]
    lines += ["", "next:", *next_commands(seen, context)]
    return lines


def next_commands(seen: LabStatus, context: str) -> list[str]:
    """Return commands to try next, as they can be typed here: they name only clusters and programs that this lab has."""
    lab = seen.lab
    karmada_logs = ["karmada"] if any(part.cluster == "karmada" for part in seen.components) else []  # pods have no log files here
    lines = [
        (f'eval "$({command("env", lab=lab)})"', "KUBECONFIG and PATH of this shell"),
        (command("exec", "--", "kubectl", "get", "nodes", "--context", context, lab=lab), ""),
        (command("status", lab=lab), ""),
        (command("logs", *karmada_logs, lab=lab), ""),
        (command("down", lab=lab), ""),
    ]
    if seen.members is not None:
        lines.insert(2, (command("exec", "--", "kubectl", "get", "clusters", lab=lab), "the members, as Karmada sees them"))
    width = max(len(line) for line, _ in lines)
    return [f"  {line:{width}}  {meaning}".rstrip() for line, meaning in lines]
