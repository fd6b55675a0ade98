"""What a kubeconfig says: which server, trusted how, as whom. Nothing here needs more than the standard library and yaml."""

from __future__ import annotations

import os
import ssl
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from lab.errors import UsageError


@dataclass(frozen=True)
class Access:
    """A server's address and how to be let in: a TLS context, which may carry a client certificate, and a token, if any."""

    server: str
    tls: ssl.SSLContext
    token: str | None


def read_access(kubeconfig: Path, *, context: str | None = None) -> Access:
    """Return what a kubeconfig's (current) context gives. UsageError says what is wrong with the file."""
    try:
        document = yaml.load(kubeconfig.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (safe loaders both)
        wanted = context or document["current-context"]
        chosen = next(entry["context"] for entry in document["contexts"] if entry["name"] == wanted)
        cluster = next(entry["cluster"] for entry in document["clusters"] if entry["name"] == chosen["cluster"])
        user = next(entry["user"] for entry in document["users"] if entry["name"] == chosen["user"])
        return Access(str(cluster["server"]), make_tls_context(kubeconfig.parent, cluster, user), user.get("token"))
    except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration, ValueError) as error:
        raise UsageError(
            f"not a kubeconfig that can be used: {error or type(error).__name__}",
            where=f"{kubeconfig}" + (f", context {context}" if context else ""),
            remedy="check it with: kubectl --kubeconfig FILE config view --minify",
        ) from error


def make_tls_context(folder: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    """Return the TLS context of a kubeconfig's cluster and user.

    Keys that are inlined touch the disk only as a 0600 file in memory (memfd), since Python's ssl loads client certificates from
    files alone.
    """
    name = cluster.get("tls-server-name")
    context = FixedNameContext(ssl.PROTOCOL_TLS_CLIENT, name=str(name)) if name else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif data := cluster.get("certificate-authority-data"):
        context.load_verify_locations(cadata=b64decode(data).decode())
    elif file := cluster.get("certificate-authority"):
        context.load_verify_locations(cafile=str(folder / file))
    else:
        context.load_default_certs()
    if data := user.get("client-certificate-data"):
        load_client_pair(context, b64decode(data) + b"\n" + b64decode(user["client-key-data"]))
    elif file := user.get("client-certificate"):
        context.load_cert_chain(str(folder / file), str(folder / user["client-key"]))
    return context


class FixedNameContext(ssl.SSLContext):
    """A TLS context whose server has to have one name, whatever address it is reached at (a kubeconfig's `tls-server-name`)."""

    name: str

    def __new__(cls, protocol: int, *, name: str) -> Self:
        made = super().__new__(cls, protocol)
        made.name = name
        return made

    def wrap_socket(self, *args: Any, **other: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*args, **{**other, "server_hostname": self.name})


def load_client_pair(context: ssl.SSLContext, both: bytes) -> None:
    """Load a client certificate and key, PEM in one piece, without writing them to a disk (Linux: memfd)."""
    handle = os.memfd_create("client-pair", os.MFD_CLOEXEC)
    try:
        os.write(handle, both)
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Pems:
    """What a kubeconfig holds as text: the server, and authority, client certificate and key, each PEM."""

    server: str
    ca: str
    cert: str
    key: str


def read_pems(kubeconfig: Path) -> Pems:
    """Return what a kubeconfig's current context gives, for who has to be told it. UsageError when it has no client certificate."""
    try:
        document = yaml.safe_load(kubeconfig.read_bytes())
        chosen = next(entry["context"] for entry in document["contexts"] if entry["name"] == document["current-context"])
        cluster = next(entry["cluster"] for entry in document["clusters"] if entry["name"] == chosen["cluster"])
        user = next(entry["user"] for entry in document["users"] if entry["name"] == chosen["user"])

        def content(of: Mapping[str, Any], key: str) -> str:
            data = b64decode(of[f"{key}-data"]) if f"{key}-data" in of else (kubeconfig.parent / of[key]).read_bytes()
            return data.decode()

        ca, cert, key = content(cluster, "certificate-authority"), content(user, "client-certificate"), content(user, "client-key")
        return Pems(str(cluster["server"]), ca, cert, key)
    except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration, ValueError) as error:
        raise UsageError(
            f"the kubeconfig has no authority and client certificate to hand on: {error or type(error).__name__}",
            where=str(kubeconfig),
            remedy="give one that authenticates by certificate",
        ) from error
