"""How to connect to the server of a kubeconfig: TLS, credentials, proxy. The standard library and yaml only, as `lab.kubeconfig`.

What client-go takes is taken: certificates, tokens and token files, exec plugins (`lab.exec_plugin`), impersonation, `tls-server-name`,
`insecure-skip-tls-verify`, `proxy-url` (http), servers below a path.
"""

from __future__ import annotations

import os
import ssl
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from lab.errors import UsageError
from lab.exec_plugin import ExecPlugin
from lab.kubeconfig import KubeContext, invalid_kubeconfig, read_context


@dataclass(frozen=True)
class Access:
    """How to connect to a server: its address, a TLS context, which may carry a client certificate, and where a token comes from, if any.

    `headers` are those of impersonation.
    """

    server: str
    tls: ssl.SSLContext
    token: str | None = None
    token_file: Path | None = None
    plugin: ExecPlugin | None = None
    headers: tuple[tuple[str, str], ...] = ()
    proxy: str | None = None

    @property
    def prefix(self) -> str:
        """The path of the server that every request's path is below; "" for most."""
        return urlsplit(self.server).path.rstrip("/")

    def find_token(self, *, renew: bool = False) -> str | None:
        """Return the bearer token of now; with `renew` a new one of an exec plugin. UsageError when there is none to be had."""
        if self.plugin is not None:
            credential = self.plugin.ask(renew=renew)
            if credential.pair and self.plugin.loaded is not credential:
                try:
                    load_client_pair(self.tls, credential.pair)
                except ssl.SSLError as error:
                    raise self.plugin.failed(f"its client certificate cannot be used: {error}", None) from error
                self.plugin.loaded = credential
            return credential.token
        if self.token_file is None:
            return self.token
        try:
            return self.token_file.read_text().strip()
        except OSError as error:
            raise UsageError(f"reading a token failed: {error.strerror}", where=str(self.token_file)) from error

    def make_headers(self, *, renew: bool = False) -> list[tuple[str, str]]:
        """Return the headers of a request: the bearer token, impersonation."""
        token = self.find_token(renew=renew)
        return [*([("Authorization", f"Bearer {token}")] if token else []), *self.headers]

    def connect(self, *, timeout: float) -> HTTPSConnection:
        """Return a connection to the server, through its proxy if it has one. Nothing is sent yet."""
        address = urlsplit(self.server)
        host, port = address.hostname or "", address.port or 443
        if self.proxy is None:
            return HTTPSConnection(host, port, context=self.tls, timeout=timeout)
        proxy = urlsplit(self.proxy)
        made = HTTPSConnection(proxy.hostname or "", proxy.port or 80, context=self.tls, timeout=timeout)
        user = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else ""
        made.set_tunnel(host, port, {"Proxy-Authorization": f"Basic {b64encode(user.encode()).decode()}"} if user else {})
        return made


def send_headers(peer: HTTPConnection, verb: str, target: str, headers: list[tuple[str, str]], body: bytes | None = None) -> None:
    """Send a request with headers that may repeat a name, as those of impersonation do."""
    peer.putrequest(verb, target, skip_accept_encoding=True)
    for name, value in [*headers, *([("Content-Length", str(len(body)))] if body is not None else [])]:
        peer.putheader(name, value)
    peer.endheaders(body)


def read_access(kubeconfig: Path, *, context: str | None = None) -> Access:
    """Return how a kubeconfig's named or current context connects. UsageError says what is wrong with the file."""
    given = read_context(kubeconfig, context=context)
    try:
        return make_access(given)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise invalid_kubeconfig(kubeconfig, error, context) from error


def make_access(given: KubeContext) -> Access:
    """Return how a context connects. ValueError, KeyError and OSError for what cannot be used."""
    user = given.user
    if "auth-provider" in user:
        raise ValueError("auth-provider was removed from Kubernetes in 1.26: use an exec plugin")
    if user.get("username"):
        raise ValueError("user names with passwords were removed from Kubernetes in 1.19: use a token or a certificate")
    if not given.server.startswith("https://"):
        raise ValueError(f"the server {given.server!r} is not reached over https")
    proxy = str(given.cluster.get("proxy-url") or "") or None
    if proxy and not proxy.startswith("http://"):
        raise ValueError(f"proxy-url {proxy!r}: only proxies of http:// are supported")
    for address in filter(None, (given.server, proxy)):
        if not urlsplit(address).hostname or urlsplit(address).port == 0:  # a port that is no number raises ValueError
            raise ValueError(f"{address!r} has no host or no port")
    return Access(
        given.server,
        make_tls_context(given.folder, given.cluster, user),
        token=user.get("token"),
        token_file=given.folder / str(user["tokenFile"]) if user.get("tokenFile") else None,
        plugin=ExecPlugin.of(given) if user.get("exec") else None,
        headers=tuple(list_impersonation(user)),
        proxy=proxy,
    )


def list_impersonation(user: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers by which a user acts as another one."""
    found = [("Impersonate-User", str(user["as"]))] if user.get("as") else []
    found += [("Impersonate-Uid", str(user["as-uid"]))] if user.get("as-uid") else []
    found += [("Impersonate-Group", str(group)) for group in user.get("as-groups") or []]
    extra = user.get("as-user-extra") or {}
    return found + [(f"Impersonate-Extra-{key}", str(value)) for key, values in extra.items() for value in values]


def make_tls_context(folder: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    """Return the TLS context of a kubeconfig's cluster and user.

    Inlined keys are never written to a disk: Python's ssl loads client certificates from files only, so they get a file in memory
    (memfd, 0600).
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
    """A TLS context that verifies one server name, whatever the address (a kubeconfig's `tls-server-name`)."""

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
