"""Which Docker engine a run uses: chosen as Docker's client chooses, recorded before anything is made, and the same until `down`.

`docker context use`, or a shell with another DOCKER_HOST, changes what the client talks to. What a run has made is where it was made.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.environment import ENGINE
from lab.run import write_json, write_private

RECORD = Path("records", "docker", "engine.json")
DEFAULT = "unix:///var/run/docker.sock"
PRIVATE = Path("data", "docker")
"""The client's configuration for commands of a run, in its directory."""


def select_engine(caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that lead Docker's client to the engine it would use now, whatever is chosen later.

    DOCKER_HOST counts before DOCKER_CONTEXT, and that before the context in the client's configuration.
    """
    caller = os.environ if caller is None else caller
    folder = Path(caller.get("DOCKER_CONFIG") or Path(caller.get("HOME") or "/", ".docker")).absolute()
    chosen = {name: caller[name] for name in ENGINE if caller.get(name)} | {"DOCKER_CONFIG": str(folder)}
    if "DOCKER_CERT_PATH" in chosen:
        chosen["DOCKER_CERT_PATH"] = str(Path(chosen["DOCKER_CERT_PATH"]).absolute())
    context = chosen.pop("DOCKER_CONTEXT", "") or str(read_json(folder / "config.json").get("currentContext") or "default")
    if "DOCKER_HOST" in chosen:
        return chosen
    if context == "default":
        tls = {"DOCKER_TLS", "DOCKER_TLS_VERIFY"} & chosen.keys()  # then the client's default is a port
        return chosen | ({"DOCKER_CONTEXT": "default"} if tls else {"DOCKER_HOST": DEFAULT})
    place = hashlib.sha256(context.encode()).hexdigest()
    endpoint = read_json(folder / "contexts" / "meta" / place / "meta.json").get("Endpoints", {}).get("docker", {}).get("Host")
    if endpoint and not (folder / "contexts" / "tls" / place).exists():
        return chosen | {"DOCKER_HOST": str(endpoint)}
    return chosen | {"DOCKER_CONTEXT": context}  # its certificates are the context's


def record_engine(run: Path, caller: Mapping[str, str] | None = None) -> dict[str, str]:
    """Record the engine of a run, unless one is recorded already, and return it. To be called before anything is made of it."""
    if (found := read_engine(run)) is None:
        found = select_engine(caller)
        write_json(run / RECORD, found)
    private = run / PRIVATE
    private.mkdir(parents=True, exist_ok=True)
    write_private(private / "config.json", b"{}\n")  # the user's may have `proxies`, which the client sets in every container
    if (Path(found["DOCKER_CONFIG"]) / "contexts").is_dir() and not (private / "contexts").is_symlink():
        (private / "contexts").symlink_to(Path(found["DOCKER_CONFIG"]) / "contexts")
    return found


def read_engine(run: Path) -> dict[str, str] | None:
    """Return the engine of a run; None for a run that uses none."""
    found = read_json(run / RECORD)
    return {name: str(value) for name, value in found.items() if name in ENGINE} or None


def find_engine(run: Path) -> dict[str, str]:
    """Return the engine to ask about what a run may have made: the recorded one, or else the one that the client would use now."""
    return read_engine(run) or select_engine()


def find_command_engine(run: Path) -> dict[str, str] | None:
    """Return the engine for commands of a run, with the client's configuration of the run; None for a run that uses none."""
    found = read_engine(run)
    if found is not None and (run / PRIVATE / "config.json").exists():
        return found | {"DOCKER_CONFIG": str(run / PRIVATE)}
    return found


def find_socket(engine: Mapping[str, str]) -> Path | None:
    """Return the Unix socket of an engine; None when it is reached another way."""
    host = engine.get("DOCKER_HOST", "")
    return Path(host.removeprefix("unix://")) if host.startswith("unix://") else None


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one when there is none, or none that can be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
