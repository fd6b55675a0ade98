"""Program: one that keeps running, as data. Machines start it, the supervisor owns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

NO_ENV: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Program:
    """A program that keeps running, as data: "member1/kube-apiserver" and how it is started.

    `env` is laid over what `lab.environment` lets a component inherit, and a TMPDIR of the run: proxies and KUBECONFIG of whoever
    started the lab do not reach it. `log` gets stdout and stderr, appended. `needs` names programs of the same machine
    that must outlive this one: they are stopped after it. `ports` are those it listens on: when it ends and one of
    them is somebody else's, the error says whose.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: NO_ENV)
    cwd: Path | None = None
    nice: int = 0
    needs: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
