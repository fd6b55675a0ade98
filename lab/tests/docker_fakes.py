"""A Docker engine that answers `docker info` from a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.computer import Answer
from lab.limits.finding import Needs
from lab.tests.computer_fakes import Scripted, info

NEEDS = Needs(cache=Path("/home/me/.cache/karmada-lab"), runs=Path("/home/me/work/_runs"), in_engine=True)


def engine(answer: Answer | None = None, *, endpoint: str = "default unix:///var/run/docker.sock", **changes: Any) -> Scripted:
    computer = Scripted(**changes)
    computer.answers["docker info"] = answer or info()
    computer.answers["docker context"] = Answer(0, endpoint)
    return computer
