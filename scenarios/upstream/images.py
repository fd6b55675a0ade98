"""Build the images that upstream's specs name, for members with real pods: no registry is reachable, so the images are made here.

**Stand-ins**, labelled as such: Debian's programs of the same names, in Debian's versions. Not built are images that must be missing
(`fake/…`, `fictional.registry.us/…`), and those without a tag or with `latest`, which a kubelet pulls in any case.
"""

from __future__ import annotations

from lab.images.image import Image, ImageFile
from lab.images.kubernetes import BUSYBOX, CONTENT, SHELL

NGINX = b"""user root;
worker_processes 1;
daemon off;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 64; }
http {
    access_log /dev/stdout;
    server { listen 80; location / { return 200 "hello from nginx\\n"; } }
}
"""
"""One worker, which logs its start: upstream's image does so too, and a spec reads that line."""
USERS = (
    ImageFile("/etc/passwd", content=b"root:x:0:0:root:/:/bin/sh\n", mode=0o644),
    ImageFile("/etc/group", content=b"root:x:0:\n", mode=0o644),
)
PERL = ("perl", "libmath-bigint-perl")
"""The Math::BigInt of Perl 5.36 does not finish the computation of upstream's Job, 2,000 digits of pi."""
FOLDERS = tuple(ImageFile(path) for path in ("/run", "/var/lib/nginx", "/var/log/nginx"))

ALL = (
    Image(
        "docker.io/library/nginx:1.19.0",
        (*BUSYBOX, *USERS, *FOLDERS, ImageFile("/etc/nginx/lab.conf", content=NGINX, mode=0o644)),
        entrypoint=("nginx", "-c", "/etc/nginx/lab.conf"),
        labels={CONTENT: "nginx of Debian"},
        packages=("nginx", *SHELL),
    ),
    Image("docker.io/library/busybox:1.36.0", BUSYBOX, cmd=("sh",), labels={CONTENT: "busybox of Debian"}, packages=SHELL),
    Image("docker.io/library/perl:5.34.0", cmd=("perl", "-de0"), labels={CONTENT: "perl of Debian"}, packages=PERL),
)
