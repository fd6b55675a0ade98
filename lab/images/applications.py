"""Programs that tests deploy, small enough to be on every node: real where pods run, and a name like any other where they are hollow."""

from __future__ import annotations

from lab.images.image import File, Image
from lab.images.kubernetes import BUSYBOX, SHELL

WEB = "docker.io/karmada-lab/web:1"
"""A web server at port 8080. /hostname says which pod answers, which is what tests of Services and of failover ask."""
PORT = 8080

START = (
    b"#!/bin/sh\n# The pod's name as a file, since that is what httpd serves.\nhostname > /www/hostname\nexec httpd -f -p 8080 -h /www\n"
)
EXTRA = tuple(File(f"/bin/{name}", link="busybox") for name in ("httpd", "hostname", "nslookup", "nc", "id"))

ALL = [
    Image(
        WEB,
        (*BUSYBOX, *EXTRA, File("/start", content=START), File("/www", mode=0o777), File("/tmp", mode=0o1777)),  # noqa: S108 (in the image)
        entrypoint=("/start",),
        packages=SHELL,
    ),
]
