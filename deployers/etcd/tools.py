"""The command-line tools of etcd: which there are, etcdutl, and the error that a tool printed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.assets import AssetRef, Supply
from lab.machines.machine import Machine

TOOLS = ("etcdctl", "etcdutl")


@dataclass(frozen=True)
class Etcdutl:
    """The tool for etcd's files; it needs no running etcd."""

    machine: Machine
    program: Path

    @classmethod
    def found(cls, machine: Machine, supply: Supply) -> Etcdutl:
        """Return the tool, brought now if it is not here."""
        ref = AssetRef("etcdutl")
        return cls(machine, supply.resolve([ref])[ref])

    def __call__(self, *args: str, within: float = 600.0) -> str:
        """Return its output."""
        return self.machine.run((str(self.program), *args), within=within).stdout


def last_line(output: str) -> str:
    """Return the last line that an etcd tool printed; of a JSON log line only its error or message."""
    lines: Iterable[str] = reversed(output.strip().splitlines())
    line = next((line for line in lines if line.strip()), "it printed nothing")
    if line.startswith("{"):
        try:
            fields = json.loads(line)
            return str(fields.get("error") or fields.get("msg") or line)
        except ValueError:
            return line
    return line.removeprefix("Error: ")
