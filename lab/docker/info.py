"""Which engine the client `docker` talks to, where that is, and whether kind's nodes on it can be used from here.

A lab reaches nodes by their address in Docker's network. So the bridge's gateway must be an address of this computer: it is not for an
engine that is remote, rootless, in Docker Desktop's virtual machine, or outside of the container that this runs in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab.computer import Probe

SETUP = "make setup-docker   (Debian), or https://docs.docker.com/engine/install"
GATEWAY = ("docker", "network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}} {{end}}")
ENDPOINT = ("docker", "context", "inspect", "--format", "{{.Name}} {{.Endpoints.docker.Host}}")


@dataclass(frozen=True)
class EngineInfo:
    """The engine as `docker info` describes it. `name` is the engine's computer."""

    version: str
    name: str
    system: str
    kernel: str
    root: str
    runtime: str
    cgroup_driver: str
    cgroup_version: str
    security: tuple[str, ...]
    endpoint: str = ""
    context: str = ""

    @property
    def rootless(self) -> bool:
        return any(option.startswith("name=rootless") for option in self.security)

    @property
    def remote(self) -> bool:
        """Is it reached over a network? By loopback it may be one of this computer, or of a container that shares its network."""
        scheme, _, rest = self.endpoint.partition("://")
        host = urlsplit(f"//{rest}").hostname or ""
        return scheme == "ssh" or (scheme in {"tcp", "http", "https"} and host != "localhost" and not host.startswith(("127.", "::1")))

    @property
    def elsewhere(self) -> str:
        """Why its containers are in another network than this computer's, as far as it says itself; "" where it does not."""
        if "Docker Desktop" in self.system:
            return "Docker Desktop runs its containers in a virtual machine"
        if self.rootless:
            return "rootless, with its networks in a namespace of their own"
        return f"remote ({self.endpoint})" if self.remote else ""

    @property
    def of_snap(self) -> bool:
        return self.root.startswith("/var/snap/")

    @property
    def kind(self) -> str:
        """Return the kind of engine as text; "" for an engine of this computer as packages install it."""
        return self.elsewhere or ("of a snap" if self.of_snap else "")


def ask_engine(computer: Probe) -> EngineInfo | str:
    """Return the engine, or why there is none with the remedy, as `<why>: <remedy>`."""
    if computer.which("docker") is None:
        return f"not installed: {SETUP}"
    answer = computer.ask(["docker", "info", "--format", "{{json .}}"], within=10.0)
    facts = parse_info(answer.text)
    errors = facts.get("ServerErrors") or []
    if facts.get("ServerVersion") and not errors:
        context, _, endpoint = computer.ask(ENDPOINT).line.partition(" ")
        return make_engine_info(facts, context=context, endpoint=endpoint)
    return explain_no_engine(" ".join([*map(str, errors), answer.text if not facts else ""]).strip(), answer.line)


def parse_info(text: str) -> Mapping[str, Any]:
    """Return the JSON document among what `docker info` printed (warnings may stand beside it); empty where there is none."""
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                return found
    return {}


def make_engine_info(facts: Mapping[str, Any], *, context: str, endpoint: str) -> EngineInfo:
    """Return the engine as a document of `docker info` describes it."""
    names = (
        "ServerVersion",
        "Name",
        "OperatingSystem",
        "KernelVersion",
        "DockerRootDir",
        "DefaultRuntime",
        "CgroupDriver",
        "CgroupVersion",
    )
    version, name, system, kernel, root, runtime, driver, cgroup = (str(facts.get(name) or "") for name in names)
    security = tuple(str(option) for option in facts.get("SecurityOptions") or ())
    return EngineInfo(version, name, system, kernel, root, runtime, driver, cgroup, security, endpoint, context)


def explain_no_engine(text: str, line: str) -> str:
    """Return why no engine answers, from the client's output, with the remedy."""
    low = text.lower()
    if "permission denied" in low:
        return "the engine answers root only: be in the group docker (sudo usermod -aG docker $USER, then log in again), or use sudo"
    if re.search(r"context .*not found|context not found|unable to resolve docker endpoint", low):
        return f"its context does not exist ({line}): docker context use default, or unset DOCKER_CONTEXT"
    if "ssh" in low or "no such host" in low or "i/o timeout" in low or "tcp://" in low:
        return f"a remote engine does not answer ({line}): unset DOCKER_HOST and DOCKER_CONTEXT to use this computer's"
    return f"a client is here, but no engine answers ({line}): start it: {SETUP}"


def find_network_error(computer: Probe, engine: EngineInfo) -> str:
    """Return why this engine's containers cannot be used from here, with the remedy; "" when they can.

    Its networks must be this computer's, so that a node's address is reached, and its files too, so that folders can be given to a node.
    """
    if where := engine.elsewhere:  # its gateway may have the same address as that of an engine here
        return f"the engine is {where}, so nodes cannot be reached: use an engine of this computer: {SETUP}"
    gateways = [word for word in computer.ask(GATEWAY).text.split() if re.fullmatch(r"[0-9.]+|[0-9a-f:]*:[0-9a-f:]*", word)]
    if gateways and not any(computer.has_address(gateway) for gateway in gateways):
        what = f"its networks ({', '.join(gateways)}) are not this computer's"
    elif engine.root and not computer.is_there(engine.root):
        what = f"its files ({engine.root}) are not here"
    else:
        return ""
    inside = any(computer.is_there(mark) for mark in ("/.dockerenv", "/run/.containerenv"))
    where = "outside of the container that this runs in" if inside else f"on another computer or in another namespace ({engine.name})"
    return f"{what}, so nodes cannot be reached; the engine is {where}: use an engine of this computer: {SETUP}"


def find_snap_error(computer: Probe, engine: EngineInfo, paths: Mapping[str, Path]) -> str:
    """Return which of these directories a Docker from a snap cannot read, with the remedy; "" for none, and for any other Docker.

    A snap sees its user's home without hidden folders, and a /tmp of its own.
    """
    client = computer.which("docker") or ""
    if not (client.startswith("/snap/") or engine.of_snap):
        return ""
    home = computer.home()
    hidden = [f"{what} ({path})" for what, path in paths.items() if home is None or not is_seen_by_snap(path, home)]
    if not hidden:
        return ""
    return (
        f"Docker is a snap, which reads no hidden folder and nothing outside of a home: {', '.join(hidden)}: "
        "set KARMADA_LAB_RUNS and KARMADA_LAB_CACHE to folders in your home that are not hidden, or install Docker as a package"
    )


def is_seen_by_snap(path: Path, home: Path) -> bool:
    """Return whether a path is inside a home directory, without a hidden folder on the way."""
    try:
        parts = path.relative_to(home).parts
    except ValueError:
        return path.is_relative_to("/media") or path.is_relative_to("/mnt")
    return not (parts and parts[0].startswith("."))
