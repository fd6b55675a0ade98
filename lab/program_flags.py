"""Ask a program whether it takes a flag, before anything is created: it parses its flags, and then prints its help.

`PROGRAM --flag=value --help` ends with an error when the flag is unknown or its value has another form, and changes nothing. It also knows
flags that its help does not list, as deprecated ones. What cannot be learned this way is left to running: feature gates of Kubernetes'
own programs, and whether two flags fit together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.computer import Probe
from lab.near_names import did_you_mean, near_names

UNKNOWN = re.compile(r"unknown flag: --|flag provided but not defined: -")
INVALID = re.compile(r'invalid (?:argument|value) .* for (?:flag \S+|"[^"]*" flag): (?P<why>.*)')
LISTED = re.compile(r"^\s*(?:-\w, )?--([a-z][-a-z0-9]*)", re.MULTILINE)
WITHIN = 20.0
"""Seconds for one answer; 0.1 s on a quiet computer."""

Flag = tuple[str, str]


def flag_errors(probe: Probe, program: Path, flags: Iterable[Flag]) -> dict[Flag, str]:
    """Return why a program does not take these flags (name, value), for each that it refuses. Nothing of it is started."""
    asked = list(dict.fromkeys(flags))
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda flag: flag_error(probe, program, *flag), asked)
        return {flag: why for flag, why in zip(asked, answers, strict=True) if why}


def flag_error(probe: Probe, program: Path, name: str, value: str) -> str:
    """Return why a program does not take a flag with this value; "" when it does, or when it does not say."""
    answer = probe.ask([str(program), f"--{name}={value}", "--help"], within=WITHIN)
    if answer.ok or answer.status is None:
        return ""
    if UNKNOWN.search(answer.text):
        names = LISTED.findall(probe.ask([str(program), "--help"], within=WITHIN).text)
        return f"{program.name} has no flag --{name}{did_you_mean(near_names(name, names))}"
    if found := INVALID.search(answer.text):
        return f"{program.name} does not take {value!r}: {found['why'].strip()}"
    return ""
