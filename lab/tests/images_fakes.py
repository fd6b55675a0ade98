"""Two images that share a file."""

from __future__ import annotations

from lab.images import Image, ImageFile

WEB = Image(
    "docker.io/karmada/web:v1", (ImageFile("/bin/web", asset="web@1.0.0"), ImageFile("/etc/web.conf", content=b"x=1\n")), ("/bin/web",)
)
TOOL = Image("docker.io/karmada/tool:v1", (ImageFile("/bin/web", asset="web@1.0.0"), ImageFile("/bin/sh", link="web")), env={"A": "b"})


def row(name: str, digest: str) -> str:
    return f"{name} application/vnd.oci.image.manifest.v1+json {digest} 7.0 MiB linux/amd64 -\n"
