"""Commands in messages, which can be typed as printed: remedies of errors, next steps.

The shell finds `lab` only where its virtual environment is on PATH. So hints contain the program as it can be typed in the current
directory, and the lab that they are about.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path

NAME = "lab"

DEFAULT_LAB = "default"
"""The lab that a command means when neither --lab nor $KARMADA_LAB names one."""


def command(*args: str, lab: str | None = None) -> str:
    """Return a command line of `lab` for the shell, as `.venv/bin/lab down --lab blue`.

    `lab` is the lab that the command is about: its option is left out where the command means that lab anyway, and stands before `--`.
    """
    line = list(args)
    if lab is not None and lab != (os.environ.get("KARMADA_LAB") or DEFAULT_LAB):
        end = line.index("--") if "--" in line else len(line)
        line[end:end] = ["--lab", lab]
    return f"{program()} {shlex.join(line)}" if line else program()


def program() -> str:
    """Return what starts this installation's `lab` in the current directory: `lab` if PATH has it, else its path, else `python -m lab`."""
    script = find_script()
    if script is None:
        return shlex.join([sys.executable, "-m", "lab"])
    found = shutil.which(NAME)
    with suppress(OSError):  # gone since it was found
        if found is not None and Path(found).samefile(script):
            return NAME
    return shlex.quote(as_typed(script))


def find_script() -> Path | None:
    """Return the console script `lab` of the running interpreter; None if there is none."""
    started = Path(sys.argv[0])
    candidates = [started] if started.name == NAME else []
    candidates.append(Path(sys.executable).parent / NAME)
    return next((path.absolute() for path in candidates if path.is_file() and os.access(path, os.X_OK)), None)


def as_typed(path: Path) -> str:
    """Return a path as it is typed in the current directory: relative below it, with a slash in it, else absolute."""
    try:
        here = Path.cwd()
    except OSError:  # the current directory was deleted
        return str(path)
    if not path.is_relative_to(here):
        return str(path)
    relative = str(path.relative_to(here))
    return relative if os.sep in relative else f".{os.sep}{relative}"
