"""A registry with one image."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx

from lab.assets.pins import detect_arch
from lab.assets.sources import DownloadPatience
from lab.images.image import Image, ImageFile
from lab.images.registry import Registry

NAME = "docker.io/karmada/karmada-webhook:v1.18.2"
IMAGE = Image("mirror.example/karmada-webhook:v1.18.2", (ImageFile("/bin/x", asset="karmada-webhook@1.18.2"),), official=NAME)
LAYER, CONFIG = b"a layer", b"{}"


def sha(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(content: bytes, **more: Any) -> dict[str, Any]:
    return {"mediaType": "application/octet-stream", "digest": sha(content), "size": len(content), **more}


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": described(CONFIG),
        "layers": [described(LAYER)],
    }
).encode()


OTHERS = [described(b"other", platform={"os": "linux", "architecture": "none"})]


INDEX = json.dumps({"manifests": [*OTHERS, described(MANIFEST, platform={"os": "linux", "architecture": detect_arch()})]}).encode()


SERVED = {
    "manifests/v1.18.2": INDEX,
    f"manifests/{sha(INDEX)}": INDEX,
    f"manifests/{sha(MANIFEST)}": MANIFEST,
    f"blobs/{sha(CONFIG)}": CONFIG,
    f"blobs/{sha(LAYER)}": LAYER,
}


class Served:
    """A registry with these things of one repository; with `token` only for who shows it."""

    def __init__(
        self, things: dict[str, bytes] | None = None, *, token: str = "", answer: Callable[[], httpx.Response] | None = None
    ) -> None:
        self.things, self.token, self.answer = things if things is not None else SERVED, token, answer
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.host}{request.url.path}")
        if self.answer:
            return self.answer()
        if request.url.path == "/token":
            assert request.url.params["scope"] == "repository:karmada/karmada-webhook:pull"
            return httpx.Response(200, json={"token": self.token})
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return httpx.Response(401, headers={"www-authenticate": 'Bearer realm="https://auth.example/token",service="s"'})
        content = self.things.get(request.url.path.rpartition("karmada-webhook/")[2])
        return httpx.Response(200, content=content) if content is not None else httpx.Response(404)

    def client(self) -> Registry:
        return Registry(patience=DownloadPatience(attempts=1), transport=httpx.MockTransport(self))
