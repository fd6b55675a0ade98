"""Build the image of a machine of this computer's Docker: Debian with systemd as its first process, and nothing of Kubernetes.

It has the content of a plain installation: the lab brings everything else, as to any other host. Its name ends in
the key of what it is made of, so that one that is there is found. kind's entrypoint prepares cgroups and mounts for systemd.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lab.assets.cache import Cache
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.images.image import Image, ImageFile, Packages
from lab.images.node import PACKAGES as OF_NODES
from lab.images.node import has_image
from lab.images.store import make_archive
from lab.machines.machine import Machine

REPOSITORY = "docker.io/karmada-lab/machine"
PACKAGES = Packages(
    names=(
        *("systemd", "mount", "procps", "kmod", "bash", "ca-certificates", "iputils-ping"),
        *("conntrack", "iptables", "nftables", "iproute2", "ethtool"),
    ),
    installed=True,
    without=OF_NODES.without,
)
"""A small Debian, and the tools of the system that kubeadm's preflight checks ask a host for."""
SOFTWARE = ("kind-files",)
"""The assets of the image."""
ENTRYPOINT = (
    *("/usr/local/bin/entrypoint", "/kind/bin/undo-mount-hacks.sh", "/kind/bin/create-kubelet-cgroup-v2.sh"),
    "/etc/systemd/system/undo-mount-hacks.service",
)
"""Those of kind's files that make a container a place for systemd."""


def make_machine_image(kind_files: Path) -> Image:
    """Return the image as data. `kind_files` is the asset of that name."""
    taken = [
        ImageFile(path, content=(kind_files / path.removeprefix("/")).read_bytes(), mode=0o644 if path.endswith(".service") else 0o755)
        for path in ENTRYPOINT
    ]
    own = [
        ImageFile("/usr/sbin/init", link="/usr/lib/systemd/systemd"),
        ImageFile(
            "/etc/systemd/system/multi-user.target.wants/undo-mount-hacks.service", link="/etc/systemd/system/undo-mount-hacks.service"
        ),
        ImageFile("/etc/systemd/system/systemd-binfmt.service", link="/dev/null"),  # it would register things with the kernel
        ImageFile("/etc/systemd/journald.conf.d/machine.conf", content=b"[Journal]\nReadKMsg=no\n", mode=0o644),
    ]
    return Image(
        f"{REPOSITORY}:system",
        (*taken, *own),
        entrypoint=("/usr/local/bin/entrypoint", "/usr/sbin/init"),
        env={"container": "docker"},
        stop_signal="SIGRTMIN+3",
        packages=PACKAGES,
    )


def build_machine_image(engine: Machine, paths: Mapping[str, Path], *, cache: Cache | None = None, progress: Sink = ignore_progress) -> str:
    """Return the name of the image in the engine, built and loaded now if it is not there. `paths` are the assets in SOFTWARE.

    NotPossible without mmdebstrap; ProvisionError when a package cannot be fetched.
    """
    cache = cache or Cache()
    archive = make_archive([make_machine_image(paths["kind-files"])], paths, cache=cache, progress=progress)
    repository = REPOSITORY.removeprefix("docker.io/")
    name = f"{repository}:{archive.key[:12]}"
    if has_image(engine, name):
        return name
    # One at a time on a computer: what the engine calls `system` must be this archive's until it has its own name.
    with cache.working("machine-image", subject="machine image", progress=progress):
        if not has_image(engine, name):
            progress(AssetProgress("packing", "machine image"))
            engine.run(["docker", "load", "--quiet", "--input", str(archive.path)], within=300.0)
            engine.run(["docker", "tag", f"{repository}:system", name])
    return name
