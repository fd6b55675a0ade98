"""Read kubeconfigs. Needs the standard library and yaml only, so that `lab status` and the watcher of events start fast."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from lab.errors import UsageError

Json = dict[str, Any]


@dataclass(frozen=True)
class KubeContext:
    """One context of a kubeconfig: its cluster and user. Names of files in them are relative to `folder`."""

    cluster: Json
    user: Json
    folder: Path

    @property
    def server(self) -> str:
        """The address of the API server."""
        return str(self.cluster["server"])

    def pem(self, part: str) -> str:
        """Return `certificate-authority`, `client-certificate` or `client-key` as PEM, inlined or in a file. KeyError without it."""
        of = self.cluster if part == "certificate-authority" else self.user
        data = b64decode(of[f"{part}-data"]) if f"{part}-data" in of else (self.folder / str(of[part])).read_bytes()
        return data.decode()


def parse_kubeconfig(text: str | bytes, *, context: str | None = None, folder: Path = Path()) -> KubeContext:
    """Return a context of a kubeconfig: the named one, else the current one, else the first. ValueError says what is wrong with it."""
    try:
        document = load_document(text)
        wanted = context or document.get("current-context") or document["contexts"][0]["name"]
        chosen = find_entry(document, "contexts", wanted)["context"]
        cluster, user = find_entry(document, "clusters", chosen["cluster"]), find_entry(document, "users", chosen["user"])
        return KubeContext({**cluster["cluster"], "server": str(cluster["cluster"]["server"])}, dict(user["user"] or {}), folder)
    except (yaml.YAMLError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def load_document(text: str | bytes) -> Json:
    """Return the document of a kubeconfig, {} for an empty one. YAMLError passes through; TypeError for what is no mapping."""
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}  # noqa: S506 (safe loaders both)
    if not isinstance(document, dict):
        raise TypeError(f"it is a {type(document).__name__}, not a mapping")
    return document


def find_entry(document: Json, part: str, name: str) -> Json:
    """Return the entry of that name in `clusters`, `contexts` or `users`. KeyError when it has none."""
    for entry in document[part]:
        if entry["name"] == name:
            found: Json = entry
            return found
    raise KeyError(f"no entry {name!r} in {part}")


def read_context(kubeconfig: Path, *, context: str | None = None) -> KubeContext:
    """Return the named or current context of a kubeconfig file. UsageError says what is wrong with the file."""
    try:
        return parse_kubeconfig(kubeconfig.read_bytes(), context=context, folder=kubeconfig.parent)
    except (OSError, ValueError) as error:
        raise invalid_kubeconfig(kubeconfig, error, context) from error


def invalid_kubeconfig(kubeconfig: Path, error: Exception, context: str | None = None) -> UsageError:
    """Return the error of a kubeconfig that cannot be used."""
    return UsageError(
        f"invalid kubeconfig: {error or type(error).__name__}",
        where=f"{kubeconfig}" + (f", context {context}" if context else ""),
        remedy="check it with: kubectl --kubeconfig FILE config view --minify",
    )


def list_servers(kubeconfig: Path) -> dict[str, str]:
    """Return the server of each context of a kubeconfig; {} when the file cannot be read."""
    try:
        document = load_document(kubeconfig.read_bytes())
        return {
            entry["name"]: str(find_entry(document, "clusters", entry["context"]["cluster"])["cluster"]["server"])
            for entry in document["contexts"]
        }
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return {}


def list_hosts(kubeconfig: Path) -> list[str]:
    """Return the hosts of the servers of all clusters in a kubeconfig, each once; [] when the file cannot be read."""
    try:
        clusters = load_document(kubeconfig.read_bytes()).get("clusters") or []
        hosts = [urlsplit(str(entry["cluster"]["server"])).hostname for entry in clusters]
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return []
    return list(dict.fromkeys(host for host in hosts if host))


def read_ports(kubeconfig: Path) -> dict[str, int]:
    """Return the server's port of each context of a kubeconfig; {} when the file cannot be read."""
    try:
        ports = {name: urlsplit(server).port for name, server in list_servers(kubeconfig).items()}
    except ValueError:  # of a port that is not a number
        return {}
    return {name: port for name, port in ports.items() if port}


@dataclass(frozen=True)
class Pems:
    """A kubeconfig as text: the server, and authority, client certificate and key, each PEM."""

    server: str
    ca: str
    cert: str
    key: str


def read_pems(kubeconfig: Path) -> Pems:
    """Return a kubeconfig's current context as PEM. UsageError when it has no authority or no client certificate."""
    given = read_context(kubeconfig)
    try:
        return Pems(given.server, given.pem("certificate-authority"), given.pem("client-certificate"), given.pem("client-key"))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"the kubeconfig has no authority and client certificate: {error or type(error).__name__}",
            where=str(kubeconfig),
            remedy="use a kubeconfig that authenticates by certificate",
        ) from error
