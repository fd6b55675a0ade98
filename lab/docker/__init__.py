"""Docker, as this project asks for it: does it answer, and what is there under which names. All else is a command of its client."""

from __future__ import annotations

from lab.computer import Computer, Probe
from lab.machines import Machine

RUNTIME = "karmada-lab"
"""What setup.sh calls the runtime that it registers where the bounding set lacks CAP_SYS_RESOURCE."""
SETUP = "make setup-docker   (Debian), or https://docs.docker.com/engine/install"


def obstacle(computer: Probe) -> str:
    """Return why Docker cannot be used here, with the remedy; "" when it can."""
    if computer.which("docker") is None:
        return f"docker: not installed: {SETUP}"
    answer = computer.ask(["docker", "version", "--format", "{{.Server.Version}}"], within=10.0)
    if answer.ok:
        return ""
    if "permission denied" in answer.text.lower():
        return (
            "docker: the engine answers root only: be in the group docker (sudo usermod -aG docker $USER, then log in again), or use sudo"
        )
    return f"docker: a client is here, but no engine answers ({answer.line}): start it: {SETUP}"


def bounded(status: str) -> bool:
    """Does a process whose /proc/self/status this is lack CAP_SYS_RESOURCE for good?"""
    row = next((line for line in status.splitlines() if line.startswith("CapBnd:")), "CapBnd: ffffffffffffffff")
    return not int(row.split()[1], 16) >> 24 & 1


def states() -> dict[str, str] | None:
    """Return each container's state by its name: running, exited…; None when no engine answers."""
    answer = Computer().ask(["docker", "ps", "--all", "--format", "{{.Names}} {{.State}}"])
    if not answer.ok:
        return None
    return {name: state for name, _, state in (line.partition(" ") for line in answer.text.splitlines())}


def containers(engine: Machine, prefix: str) -> list[str]:
    """Return the containers, running or not, whose names begin so."""
    listed = engine.run(["docker", "ps", "--all", "--format", "{{.Names}}"]).stdout.split()
    return sorted(name for name in listed if name.startswith(prefix))
