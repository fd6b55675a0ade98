"""A client of image registries, by the distribution specification (github.com/opencontainers/distribution-spec, "Pull").

A digest is the only proof of content. Docker Hub and similar registries issue anonymous tokens for public images: the client requests one
after a 401. Registries on loopback are reached by http unless their address begins with https.

Why not crane, which is pinned for the scenarios: 0.22.1 was tried against its own `registry serve`, a closed port and a private address.
- When TLS fails at a private address, it asks again by http. This client never does.
- A missing image and a registry that does not answer both exit with 1 and differ only in the text of stderr. Callers need to know which.
- It would be one process for each manifest and blob, with no timeout for connecting and no memory of a host that did not answer.
- It is built from source by Go (13 s, more when cold), and images are pulled on machines that have no Go.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from lab.assets.client import open_client
from lab.assets.sources import DownloadPatience
from lab.errors import ProvisionError, UsageError
from lab.images.official import DIGEST

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""What a manifest may be: an index, which names one of each platform, or an image's own."""
HOSTS = {"docker.io": "registry-1.docker.io"}
"""Registries that answer at another host than images are called by."""
ADDRESS = re.compile(
    r"(?P<scheme>https?://)?(?P<host>[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?)(?P<prefix>(/[a-z0-9][a-z0-9._-]*)*)/?"
)
BEARER = re.compile(r'(\w+)="([^"]*)"')
MOST = 8 << 20
"""Bytes of a manifest; the specification asks registries for 4 MiB."""


class ImageAbsent(Exception):
    """The registry answers, and does not have the image."""


class RegistryUnavailable(Exception):
    """The registry does not answer, or denies access."""


@dataclass(frozen=True)
class Repository:
    """The repository of one image: the registry's address, and the repository's name there."""

    registry: str
    repository: str

    @classmethod
    def of(cls, name: str, registry: str | None = None) -> Repository:
        """Return the place of an image by its full name: upstream's, or the same path below `registry`.

        UsageError for an invalid address.
        """
        host, _, path = name.rpartition(":")[0].partition("/")
        if registry is None:
            return cls(f"https://{HOSTS.get(host, host)}", path)
        found = ADDRESS.fullmatch(registry)
        if found is None:
            raise UsageError(f"invalid registry address {registry!r}", remedy="write it as registry.example:5000/prefix")
        scheme = found["scheme"] or ("http://" if is_loopback(found["host"]) else "https://")
        return cls(f"{scheme}{found['host']}", f"{found['prefix']}/{path}".lstrip("/"))

    def __str__(self) -> str:
        return f"{urlsplit(self.registry).netloc}/{self.repository}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this computer."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


class Registry:
    """Registries, one client for all. A host that did not answer is not asked again."""

    def __init__(self, *, patience: DownloadPatience | None = None, transport: httpx.BaseTransport | None = None) -> None:
        wait = patience or DownloadPatience(connect=4)
        self.client = open_client(connect=wait.connect, silence=wait.silence, transport=transport)
        self.tokens: dict[Repository, str] = {}
        self.dead: dict[str, str] = {}

    def close(self) -> None:
        self.client.close()

    def manifest(self, at: Repository, reference: str) -> bytes:
        """Return a manifest by digest, which it is held against, or by tag.

        Absent, Away; ProvisionError when it is not what its digest says.
        """
        content: bytes = self._asked(
            at, f"manifests/{reference}", lambda answer: self._manifest(answer, at, reference), accept=", ".join(MANIFESTS)
        )
        return content

    def blob(self, at: Repository, digest: str, to: Path) -> None:
        """Write a blob into a file. Absent, Away; ProvisionError when it is not what its digest says, and then there is no file."""

        def keep(answer: httpx.Response) -> None:
            hasher = hashlib.sha256()
            with to.open("wb") as file:
                for part in answer.iter_bytes():
                    file.write(part)
                    hasher.update(part)
            if f"sha256:{hasher.hexdigest()}" != digest:
                to.unlink()
                raise digest_error(at, digest, f"sha256:{hasher.hexdigest()}")

        self._asked(at, f"blobs/{digest}", keep)

    def digest_of(self, at: Repository, tag: str) -> str:
        """Return the digest of the tag's current manifest, computed from its bytes. ImageAbsent, RegistryUnavailable."""
        return compute_digest(self.manifest(at, tag))

    def _manifest(self, answer: httpx.Response, at: Repository, reference: str) -> bytes:
        content = b""
        for part in answer.iter_bytes():
            content += part
            if len(content) > MOST:
                raise ProvisionError(f"reading a manifest of {at} failed: it has more than {MOST} bytes", where=str(answer.url))
        if DIGEST.fullmatch(reference) and compute_digest(content) != reference:
            raise digest_error(at, reference, compute_digest(content))
        return content

    def _asked(self, at: Repository, what: str, take: Callable[[httpx.Response], Any], *, accept: str = "*/*") -> Any:
        if why := self.dead.get(at.registry):
            raise RegistryUnavailable(why)
        url = f"{at.registry}/v2/{at.repository}/{what}"
        try:
            for tries in (1, 2):
                token = {"Authorization": f"Bearer {self.tokens[at]}"} if at in self.tokens else {}
                # identity: a layer is held against its digest as it is, not as a server packs it for the way
                headers = {"Accept": accept, "Accept-Encoding": "identity", **token}
                with self.client.stream("GET", url, headers=headers) as answer:
                    if answer.status_code == 401 and tries == 1 and self._token(at, answer.headers.get("www-authenticate", "")):
                        continue
                    if answer.status_code == 404:
                        raise ImageAbsent(f"{at} has no {what}")
                    if answer.status_code != 200:
                        raise RegistryUnavailable(f"{urlsplit(url).netloc} answers {answer.status_code} for {at.repository}")
                    return take(answer)
        except httpx.HTTPError as error:
            self.dead[at.registry] = f"{urlsplit(url).netloc} does not answer: {error or type(error).__name__}"
            raise RegistryUnavailable(self.dead[at.registry]) from error
        raise AssertionError  # the loop returns or raises

    def _token(self, at: Repository, challenge: str) -> bool:
        """Get an anonymous token. Return False when the registry demands another kind of authorization."""
        scheme, _, rest = challenge.partition(" ")
        params = dict(BEARER.findall(rest))
        if scheme.lower() != "bearer" or "realm" not in params:
            return False
        answer = self.client.get(params.pop("realm"), params={"scope": f"repository:{at.repository}:pull", **params})
        if answer.status_code != 200:
            return False
        given = answer.json()
        self.tokens[at] = str(given.get("token") or given.get("access_token") or "")
        return bool(self.tokens[at])


def compute_digest(content: bytes) -> str:
    """Return the digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_error(at: Repository, expected: str, got: str) -> ProvisionError:
    """Return the error for something that is not what its digest says."""
    return ProvisionError(
        f"checking what {at} serves failed: expected {expected}, got {got}",
        where=at.registry,
        remedy="do not trust that registry: use another one, or --source build",
    )
