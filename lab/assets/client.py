"""The HTTP client of downloads: the one place that goes through the caller's proxies, as `lab.environment` says of programs that fetch."""

from __future__ import annotations

import functools
import os
import ssl

import httpx

from lab.environment import PROXIES
from lab.errors import NotPossible

UNPROXIED = ("localhost", "127.0.0.1", "[::1]")
"""Hosts of mirrors and registries on this computer, which a proxy does not reach."""


@functools.cache
def load_authorities() -> ssl.SSLContext:
    """Return the authorities that https is checked against; reading them takes longer than most of what is done here.

    NotPossible when SSL_CERT_FILE or SSL_CERT_DIR of the environment name no certificates.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        named = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
        raise NotPossible(
            f"loading the certificates of authorities failed: {error.strerror or error}",
            where=", ".join(f"{name}={os.environ[name]}" for name in named),
            remedy=f"unset {' and '.join(named)}, or name a file of certificates" if named else "install the package ca-certificates",
        ) from error


def open_client(*, connect: float, silence: float, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return a client that downloads through the proxies of the environment; this computer's own addresses are reached directly.

    NotPossible when a proxy of the environment cannot be used.
    """
    try:
        return httpx.Client(
            timeout=httpx.Timeout(silence, connect=connect),
            follow_redirects=True,
            headers={"User-Agent": "karmada-lab"},
            verify=load_authorities(),
            transport=transport,
            mounts=None if transport else {f"all://{host}": None for host in UNPROXIED},
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:  # a SOCKS proxy without its package; a value that is no address
        named = [name for name in PROXIES if os.environ.get(name) and name.lower() != "no_proxy"]
        raise NotPossible(
            f"using the proxy of the environment failed: {str(error).partition('.')[0]}",
            where=", ".join(named),
            remedy="set HTTPS_PROXY to http://HOST:PORT and unset ALL_PROXY; or --offline with what is cached",
        ) from error
