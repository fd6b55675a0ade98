"""The images that upstream's specs ask for by name, for members whose pods really run: no registry answers, so they are made here.

**Stand-ins**, each labelled with what it is: Debian's programs of the same names, in versions of Debian's. Images that are meant not to be
there (`fake/…`, `fictional.registry.us/…`) are not; nor are those without a tag, or `latest`: a kubelet asks a registry for them anyway.
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
"""One worker, that says so when it begins: upstream's image prints when it starts, too, and a spec reads that."""
USERS = (
    ImageFile("/etc/passwd", content=b"root:x:0:0:root:/:/bin/sh\n", mode=0o644),
    ImageFile("/etc/group", content=b"root:x:0:\n", mode=0o644),
)
PERL = ("perl", "libmath-bigint-perl")
"""The Math::BigInt that comes with Perl 5.36 does not get to the end of what upstream's Job computes, 2,000 digits of pi."""
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
