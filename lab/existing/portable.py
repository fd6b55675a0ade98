"""A kubeconfig's context made independent of its folder and of the caller's environment: as the run directory keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import environment
from lab.exec_plugin import find_command
from lab.kubeconfig import KubeContext

FILES_OF_CLUSTER = ("certificate-authority",)
FILES_OF_USER = ("client-certificate", "client-key", "tokenFile")


def make_portable(given: KubeContext) -> KubeContext:
    """Return the context with the paths of its files made absolute, as kubectl resolves them: relative to the kubeconfig.

    An exec plugin gets the variables of now that `lab.environment` lets it have, so that programs of the lab, which do not inherit them,
    log in as their user does. They may be secrets: a kubeconfig of a run is 0600.
    """
    folder = given.folder.absolute()
    user = absolute_files(given.user, FILES_OF_USER, folder)
    if plugin := user.get("exec"):
        own = {each["name"]: each["value"] for each in plugin.get("env") or ()}
        env = {**environment.inherit_plugin(), **own}
        user["exec"] = {
            "interactiveMode": "Never",
            **plugin,
            "command": find_command(str(plugin["command"]), folder),
            "env": [{"name": name, "value": str(value)} for name, value in sorted(env.items())],
        }
    return KubeContext(absolute_files(given.cluster, FILES_OF_CLUSTER, folder), user, folder)


def absolute_files(part: dict[str, Any], keys: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Return a cluster or user of a kubeconfig with absolute names of files."""
    return {key: str(folder / str(value)) if key in keys and value else value for key, value in part.items()}
