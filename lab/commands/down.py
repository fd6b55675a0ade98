"""`lab down`: all of it gone."""

from __future__ import annotations

import json
import time
from typing import Annotated

from lab.commands.options import DEFAULT_LAB, LabName, Output, OutputOption, option
from lab.console import say, seconds_text
from lab.run import Run, runs_root

Keep = Annotated[bool, option("--keep", help="Stop the processes but keep the state: `lab up` brings it again.")]


def down(lab: LabName = DEFAULT_LAB, keep: Keep = False, output: OutputOption = Output.text) -> None:
    """Take a lab down: its processes, ports and directory. Taking down nothing is fine.

    Exit code 7 when something of it is still there afterwards, with its name.
    """
    began = time.monotonic()
    if not (runs_root() / lab).is_dir():
        say(f"there is no lab {lab}: nothing to take down")
        report = {"schema": 1, "lab": lab, "programs": 0, "kept": False, "seconds": 0.0}
    else:
        from deployers.take_down import take_down

        taken = take_down(Run.load(lab), keep=keep)
        seconds = round(time.monotonic() - began, 2)
        report = {"schema": 1, "lab": lab, "programs": taken.programs, "kept": taken.kept, "seconds": seconds}
        name = "" if lab == DEFAULT_LAB else f" --lab {lab}"
        after = f"its state is kept; lab up{name} brings it again, lab down{name} removes it" if taken.kept else "nothing of it is left"
        say(f"lab {lab} is down after {seconds_text(seconds)}: {taken.programs} programs ended, {after}")
    if output is Output.json:
        print(json.dumps(report))
