"""The image of virtual machines: a Debian root disk, its kernel and an initramfs, made here and kept by content.

    <IMAGES>/KEY/{root.qcow2, vmlinuz, initrd}      read by QEMU, which runs as a user that cannot look into a home directory
    <IMAGES>/KEY/state-…                            machines that have booted, saved (lab.factories.vm.saved_state)

An image appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

from lab.assets.cache import Cache, translate_write_errors
from lab.assets.command import CommandRunner, spawn
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.errors import NotPossible, ProvisionError
from lab.factories.vm.connection import SETUP
from lab.factories.vm.initramfs import make_initramfs
from lab.factories.vm.packages import list_packages
from lab.factories.vm.problems import PROGRAMS
from lab.images.debian import fetch_root, locate_packages

IMAGES = Path("/var/lib/libvirt/images/karmada-lab.cache")
SCHEMA = "1"
DISK_BYTES = 12 << 30
"""What a machine may write; the file takes what was written."""
GUEST = Path(__file__).parent / "guest"
FILES = {
    "usr/local/sbin/karmada-lab-identity": ("identity.sh", 0o755),
    "etc/cloud/cloud.cfg.d/99-karmada-lab.cfg": ("cloud.cfg", 0o644),
    "etc/ssh/sshd_config.d/10-karmada-lab.conf": ("sshd.conf", 0o644),
}
MASKED = (
    *("apparmor.service", "systemd-binfmt.service", "e2scrub_reap.service", "systemd-pstore.service", "ldconfig.service"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer", "man-db.timer"),
    *("systemd-networkd-wait-online.service", "systemd-timesyncd.service", "getty@tty1.service", "serial-getty@ttyS0.service"),
    *("cloud-config.service", "cloud-final.service", "cloud-init-hotplugd.socket", "containerd.service"),
)
"""Units that cost seconds of a boot under software emulation and that no lab needs. To use containerd, unmask it first."""
LINKS = {
    **{f"etc/systemd/system/{unit}": "/dev/null" for unit in MASKED},
    "etc/systemd/system/multi-user.target.wants/systemd-networkd.service": "/lib/systemd/system/systemd-networkd.service",
}
TEXTS = {"etc/machine-id": "", "etc/fstab": "/dev/vda / ext4 noatime 0 0\n", "etc/hostname": "localhost\n"}
"""An empty machine-id is filled at the first boot; one that is there would be that of every machine."""


@dataclass(frozen=True)
class VmImage:
    """An image that is there, whole."""

    key: str
    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "root.qcow2"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd"


def compute_key(cache: Cache) -> str:
    """Return the key of the image that this version of the project makes: it changes with everything that is in it."""
    parts = [
        SCHEMA,
        str(DISK_BYTES),
        locate_packages(list_packages(), cache).name,
        repr(sorted(LINKS.items())),
        repr(sorted(TEXTS.items())),
    ]
    parts += [f"{path} {mode:o} {(GUEST / source).read_text()}" for path, (source, mode) in sorted(FILES.items())]
    parts.append((Path(__file__).parent / "initramfs.py").read_text())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def find_image(*, cache: Cache | None = None, images: Path = IMAGES) -> VmImage | None:
    """Return the image when it is there, whole."""
    key = compute_key(cache or Cache())
    image = VmImage(key, images / key)
    return image if image.folder.is_dir() else None


def ensure_image(
    *, cache: Cache | None = None, images: Path = IMAGES, progress: Sink = ignore_progress, run: CommandRunner = spawn
) -> VmImage:
    """Return the image, made now if it is not there: minutes for the packages, half a minute for the disk.

    NotPossible without root rights or the programs that make it; ProvisionError when one of them fails.
    """
    cache = cache or Cache()
    if found := find_image(cache=cache, images=images):
        return found
    check_tools()
    root = fetch_root(list_packages(), cache=cache, progress=progress, run=run)
    key = compute_key(cache)
    with cache.working(f"vm-image-{key}", subject="virtual machine", progress=progress) as area, translate_write_errors(images):
        if found := find_image(cache=cache, images=images):  # another run made it while we waited
            return found
        began = time.monotonic()
        progress(AssetProgress("packing", "virtual machine"))
        images.mkdir(parents=True, exist_ok=True)
        images.chmod(0o711)  # QEMU's user reaches the files in it by name
        staged = images / f".{key}.new"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        try:
            build(root, area, staged, run)
            staged.rename(images / key)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        progress(AssetProgress("ready", "virtual machine", elapsed=time.monotonic() - began))
    return VmImage(key, images / key)


def check_tools() -> None:
    """Raise NotPossible when this user or computer cannot make an image."""
    if os.geteuid() != 0:
        raise NotPossible("making the image of a virtual machine needs root rights", remedy="run this as root")
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        raise NotPossible(f"making the image of a virtual machine needs {', '.join(lacking)}", remedy=SETUP)


def build(archive: Path, area: Path, target: Path, run: CommandRunner) -> None:
    """Write the files of the image into `target`."""
    root = area / "root"
    root.mkdir()
    with tarfile.open(archive) as packed:
        packed.extractall(root, filter="fully_trusted", numeric_owner=True)  # noqa: S202 (Debian's own files, fetched by apt)
    add_files(root)
    kernels = sorted((root / "boot").glob("vmlinuz-*"))
    if not kernels:
        raise ProvisionError("making the image of a virtual machine failed: the packages hold no kernel", where=str(archive))
    shutil.copyfile(kernels[-1], target / "vmlinuz")
    (target / "initrd").write_bytes(make_initramfs(root, kernels[-1].name.removeprefix("vmlinuz-")))
    raw = area / "root.raw"
    run_program(
        run,
        ["mkfs.ext4", "-q", "-L", "root", "-m", "0", "-O", "^metadata_csum_seed", "-d", str(root), str(raw), f"{DISK_BYTES >> 10}k"],
        area,
    )
    run_program(run, ["qemu-img", "convert", "-O", "qcow2", str(raw), str(target / "root.qcow2")], area)
    for path in target.iterdir():
        path.chmod(0o644)
    target.chmod(0o755)


def add_files(root: Path) -> None:
    """Add to a root file system what is ours."""
    for path, (source, mode) in FILES.items():
        write(root / path, (GUEST / source).read_text(), mode)
    for path, text in TEXTS.items():
        write(root / path, text, 0o644)
    for path, points_at in LINKS.items():
        link = root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(points_at)
    for mount_point in ("proc", "sys", "dev", "run", "tmp", "root"):
        (root / mount_point).mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "root").chmod(0o700)


def write(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)


def run_program(run: CommandRunner, argv: list[str], area: Path) -> None:
    """Run a program to its end. ProvisionError with what it printed."""
    ended = run(argv, cwd=area, env={})
    if ended.status:
        raise ProvisionError(f"making the image of a virtual machine failed: {argv[0]} exited with {ended.status}", detail=ended.last_lines)
