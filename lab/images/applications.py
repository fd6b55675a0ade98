"""The applications that tests deploy, small enough to be on every node. Real pods run them; for hollow pods only the image name matters."""

from __future__ import annotations

from lab.images.image import Image, ImageFile
from lab.images.kubernetes import BUSYBOX, SHELL

WEB, NEWER = "docker.io/karmada-lab/web:1", "docker.io/karmada-lab/web:2"
"""A web server at port 8080, and its next version. /hostname says which pod answers, /version which version."""
MIRROR = "mirror.example"
"""A registry that does not exist. Nodes have both versions under its name too, so that an override policy can point an image to it."""
PORT = 8080
"""(Its wget crashes when it is given a time-out, -T: Debian's busybox 1.35. `timeout 3 wget` does not.)"""

START = b"""#!/bin/sh
# What is to be known of a pod as files, since files are what httpd serves.
hostname > /www/hostname
echo "$VERSION" > /www/version
# The first process of a container is not ended by a signal that it does not ask for: a pod would take its whole grace to go.
trap 'kill $!' TERM INT
httpd -f -v -p 8080 -h /www &
wait
"""
EXTRA = tuple(ImageFile(f"/bin/{name}", link="busybox") for name in ("httpd", "hostname", "nslookup", "nc", "id", "timeout"))


def make_web_image(name: str) -> Image:
    """Return the web server under a name; its version is the name's tag."""
    own = (ImageFile("/start", content=START), ImageFile("/www", mode=0o777), ImageFile("/tmp", mode=0o1777))  # noqa: S108 (in the image)
    return Image(name, (*BUSYBOX, *EXTRA, *own), entrypoint=("/start",), env={"VERSION": name.rpartition(":")[2]}, packages=SHELL)


ALL = [make_web_image(name.replace("docker.io", registry)) for registry in ("docker.io", MIRROR) for name in (WEB, NEWER)]
