"""`lab down`: take a lab down."""

from __future__ import annotations

import json
import signal
import time
from functools import partial
from pathlib import Path
from typing import Annotated

from lab import proc
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, option
from lab.count import count
from lab.hints import command
from lab.lock import Holder, lock_run, release_lock
from lab.run import Run, runs_root
from lab.terminal.text import say, seconds_text

WITHIN = 60.0
"""Seconds for which another command that changes the lab is waited for. A bring-up that is interrupted ends within ten."""

Keep = Annotated[bool, option("--keep", help="Stop the processes but keep the state: `lab up` brings it again.")]


def down(lab: LabName = DEFAULT_LAB, keep: Keep = False, output: OutputOption = Output.text) -> None:
    """Take a lab down: its processes, ports and directory. Taking down nothing is fine.

    A `lab up` of it that still runs is interrupted first; any other command that changes it is waited for.
    Exit code 7 when something of it is still there afterwards, with its name.
    """
    began = time.monotonic()
    wait_for_up(lab)
    if not (runs_root() / lab).is_dir():
        say(f"no lab {lab} exists; nothing to take down")
        report = {"schema": 1, "lab": lab, "programs": 0, "kept": False, "seconds": 0.0}
    else:
        from lab.take_down import take_down  # noqa: PLC0415 (1.4 s of CPU, which "nothing to take down" does not need)

        taken = take_down(Run.load(lab), keep=keep, within=WITHIN, waiting=partial(end_holder, lab))
        seconds = round(time.monotonic() - began, 2)
        report = {"schema": 1, "lab": lab, "programs": taken.programs, "kept": taken.kept, "seconds": seconds}
        for line in taken.unreached:
            say(line)
        up, away = command("up", lab=lab), command("down", lab=lab)
        after = f"its state is kept; {up} brings it again, {away} removes it" if taken.kept else "nothing was left behind"
        say(f"lab {lab} is down after {seconds_text(seconds)}: {count(taken.programs, 'program')} ended, {after}")
    if output is Output.json:
        print(json.dumps(report))


def wait_for_up(lab: str) -> None:
    """End a `lab up` that has not made the lab's directory yet, and wait for it."""
    path = runs_root() / lab
    if path.is_dir() or not Path(f"{path}.lock").exists():
        return

    release_lock(lock_run(path, within=WITHIN, waiting=partial(end_holder, lab)), path)


def end_holder(lab: str, holder: Holder | None, waited: float) -> None:
    """Print which command `lab down` waits for. A running `lab up` is interrupted."""
    if waited:
        say(f"still waiting for {holder or 'another command'} after {seconds_text(waited)}")
    elif holder is None:
        say(f"another command is changing lab {lab}; waiting for it, {seconds_text(WITHIN)} at most")
    elif holder.verb != "up":
        say(f"lab {lab} is being changed by {holder}; waiting for it, {seconds_text(WITHIN)} at most")
    else:
        say(f"lab {lab} is being brought up by {holder}; interrupting it and waiting, {seconds_text(WITHIN)} at most")
        if proc.send_signal(holder.pid, holder.started, signal.SIGTERM):
            proc.send_signal(holder.pid, holder.started, signal.SIGCONT)  # one that is paused heeds nothing
