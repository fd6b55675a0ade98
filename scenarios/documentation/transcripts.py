"""The commands that documents show: blocks of ```console, and how each is tested.

A comment before a block says how: `<!-- run: lab -->` runs its commands one after the other on a lab; `<!-- run: no, REASON -->` names what
else covers them. Of every block, each `lab` command must be one that the command line accepts.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"(?:<!-- run: (?P<run>[^\n]*?) -->\n)?```console\n(?P<body>.*?)^```", re.M | re.S)
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Transcript:
    """One block of a document: where it is, the commands in it, and what its mark says ("" without one)."""

    file: Path
    line: int
    commands: tuple[str, ...]
    run: str

    @property
    def name(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def list_documents() -> list[Path]:
    """Return the documents: README, CONTRIBUTING and the pages of docs/."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def read_transcripts(file: Path) -> list[Transcript]:
    """Return the blocks of a document. A command that ends in a backslash goes on in the next line."""
    text = file.read_text()
    found = []
    for block in BLOCK.finditer(text):
        body = block["body"].replace("\\\n", " ")
        commands = tuple(line[2:].strip() for line in body.splitlines() if line.startswith("$ "))
        found.append(Transcript(file, text.count("\n", 0, block.start("body")), commands, block["run"] or ""))
    return found


def lab_arguments(command: str) -> list[str] | None:
    """Return the arguments of `lab` in a command line; None when it runs another program."""
    try:
        arguments = shlex.split(command, comments=True)
    except ValueError:
        return None
    if arguments and Path(arguments[0]).name == "lab":
        return arguments[1:]
    return None
