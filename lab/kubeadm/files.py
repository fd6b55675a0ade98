"""What is brought to a machine to make it a node: one tar of Debian's programs, Kubernetes' own, and archives of images.

Programs of Debian are taken out of its packages without installing those: what the machine has of its own stays as it is.
"""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from lab.assets.cache import Cache
from lab.assets.progress import Sink, ignore_progress
from lab.images import applications, kubernetes, node
from lab.images.debian import fetch_root
from lab.images.image import Packages
from lab.images.store import Archive, make_archive
from lab.kubeadm import paths
from lab.machines.bring import bring_files
from lab.machines.machine import Machine
from lab.run import replace_file

PACKAGES = Packages(("containerd", "runc", "containernetworking-plugins", "haproxy"))
PROGRAMS = ("kubelet", "kubeadm", "kubectl")
TAKEN = {
    "usr/bin/containerd": "bin/containerd",
    "usr/bin/containerd-shim-runc-v2": "bin/containerd-shim-runc-v2",
    "usr/bin/ctr": "bin/ctr",
    "usr/sbin/runc": "bin/runc",
    "usr/bin/runc": "bin/runc",
    "usr/sbin/haproxy": "bin/haproxy",
    **{f"usr/lib/cni/{plugin}": f"cni/bin/{plugin}" for plugin in ("host-local", "loopback", "portmap", "ptp")},
}
"""Files of the packages, and where they lie below ROOT."""
LIBRARIES = "*/lib*.so.*"
OF_THE_MACHINE = ("libc.so*", "libm.so*", "libpthread.so*", "libdl.so*", "librt.so*", "libresolv.so*", "libnss_*", "ld-*", "libutil.so*")
"""Libraries that belong to the loader of the machine, and cannot be another's."""


@dataclass(frozen=True)
class NodeFiles:
    """What is brought, on this computer: a tar that is unpacked in ROOT, programs, and images for every node and for a control plane."""

    debian: Path
    programs: Mapping[str, Path]
    images: Archive
    control_plane_images: Archive
    pause: str
    """The name of the image that holds a pod's namespaces."""


def list_software(version: str) -> list[str]:
    """Return the assets of nodes of a Kubernetes version."""
    return [name for name in node.list_software(version) if name != "kind-files"]


def collect_files(
    engine: Machine, version: str, software: Mapping[str, Path], *, cache: Cache | None = None, progress: Sink = ignore_progress
) -> NodeFiles:
    """Return what nodes of a version are made of, written into the cache where it is not there. Errors as `lab.images.store`."""
    cache = cache or Cache()
    programs = {name: software[f"{name}@{version}"] for name in PROGRAMS}
    asked = engine.run([str(programs["kubeadm"]), "config", "images", "list", "--kubernetes-version", f"v{version}"])
    listed = kubernetes.list_kubeadm_images([line for line in asked.stdout.split() if "/" in line], version)
    common = [image for image in listed if any(part in image.name for part in ("/pause:", "/kube-proxy:", "/coredns:"))]
    return NodeFiles(
        debian=pack_debian(fetch_root(PACKAGES, cache=cache, progress=progress)),
        programs=programs,
        images=make_archive([*common, *applications.ALL], software, cache=cache, progress=progress),
        control_plane_images=make_archive([image for image in listed if image not in common], software, cache=cache, progress=progress),
        pause=next(image.name for image in listed if "/pause:" in image.name),
    )


def pack_debian(root: Path) -> Path:
    """Return a tar of what TAKEN and LIBRARIES name of a root of packages, written beside it once."""
    packed = root.with_name("kubernetes.tar")
    if packed.exists():
        return packed
    with replace_file(packed, mode=0o644) as staged, tarfile.open(root) as source, tarfile.open(staged, "w") as target:
        for member in source:
            name = PurePosixPath(member.name)
            if where := TAKEN.get(member.name) if member.isreg() else None:
                member.name = where
            elif fnmatchcase(member.name, LIBRARIES) and not any(fnmatchcase(name.name, own) for own in OF_THE_MACHINE):
                if member.issym() and "/" in member.linkname:
                    continue
                member.name = f"lib/{name.name}"
            else:
                continue
            target.addfile(member, source.extractfile(member) if member.isreg() else None)
    return packed


def push_files(machine: Machine, files: NodeFiles, *, control_plane: bool, unpack: bool = False) -> None:
    """Bring the files of a node to a machine, except files with the same content.

    Debian's programs are unpacked when they were brought, and with `unpack`: an earlier attempt may have ended in between.
    """
    archives = [files.images, *([files.control_plane_images] if control_plane else [])]
    debian = f"{paths.ROOT}/debian-{files.debian.parent.name}.tar"
    wanted = {debian: files.debian}
    wanted |= {f"{paths.BIN}/{name}": path for name, path in files.programs.items()}
    wanted |= {f"{paths.ROOT}/images/{archive.key}.tar": archive.path for archive in archives}
    machine.run(["mkdir", "-p", paths.BIN, paths.LIB, f"{paths.CNI}/bin", f"{paths.ROOT}/images"])
    if debian in bring_files(machine, wanted) or unpack:
        machine.run(["tar", "-C", paths.ROOT, "-xf", debian])
