"""Program: data of a program that keeps running. Machines start it, the supervisor owns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

NO_ENV: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Program:
    """A program that keeps running: its name ("member1/kube-apiserver") and how to start it.

    `env` is laid over what `lab.environment` lets a component inherit, and a TMPDIR of the run: proxies and KUBECONFIG of the
    caller do not reach it. `log` gets stdout and stderr, appended. `needs` names programs of the same machine
    that must outlive this one: they are stopped after it. `ports` are those it listens on: when it ends and another
    process has one of them, the error names that process.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: NO_ENV)
    cwd: Path | None = None
    nice: int = 0
    needs: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
