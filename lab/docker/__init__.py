"""Docker: whether the engine answers, and its containers by name. Everything else is a command of its client."""

from __future__ import annotations

from collections.abc import Mapping

from lab.computer import Computer, Probe
from lab.docker.checks import RUNTIME, lacks_sys_resource
from lab.docker.info import SETUP, ask_engine
from lab.machines.machine import Machine

__all__ = ["RUNTIME", "SETUP", "find_docker_error", "lacks_sys_resource", "list_container_states", "list_containers"]


def find_docker_error(computer: Probe) -> str:
    """Return why Docker cannot be used here, with the remedy; "" when it can."""
    engine = ask_engine(computer)
    return f"docker: {engine}" if isinstance(engine, str) else ""


def list_container_states(engine: Mapping[str, str]) -> dict[str, str] | None:
    """Return the state of each container of an engine by its name: running, exited…; None when it does not answer."""
    answer = Computer(engine=engine).ask(["docker", "ps", "--all", "--format", "{{.Names}} {{.State}}"])
    if not answer.ok:
        return None
    return {name: state for name, _, state in (line.partition(" ") for line in answer.text.splitlines())}


def list_containers(engine: Machine, prefix: str) -> list[str]:
    """Return the containers, running or not, with names that begin with `prefix`."""
    listed = engine.run(["docker", "ps", "--all", "--format", "{{.Names}}"]).stdout.split()
    return sorted(name for name in listed if name.startswith(prefix))
