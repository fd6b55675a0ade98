"""The initramfs of a virtual machine: busybox, the modules that reach the root disk, and a script of ten lines.

The distribution's takes 14 s more under software emulation: it looks for every kind of disk.
"""

from __future__ import annotations

import gzip
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from lab.errors import ProvisionError

WANTED = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do /bin/busybox insmod "/modules/$module"; done </modules/order
tries=0
until [ -b /dev/vda ] || [ $tries -gt 100 ]; do tries=$((tries + 1)); /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 -o noatime /dev/vda /root || { echo "initramfs: mounting /dev/vda failed"; exec /bin/busybox poweroff -f; }
/bin/busybox umount /proc
/bin/busybox umount /sys
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /lib/systemd/systemd
"""


def make_initramfs(root: Path, version: str) -> bytes:
    """Return the initramfs for the kernel `version` of a root file system, compressed. ProvisionError when it lacks busybox or a module."""
    modules = root / "lib/modules" / version
    order = order_modules((modules / "modules.dep").read_text(), (modules / "modules.builtin").read_text())
    busybox = root / "bin/busybox"
    if not busybox.is_file():
        raise ProvisionError("making the initramfs failed: the root file system has no busybox", where=str(root))
    entries: list[tuple[str, int, bytes]] = [(name, stat.S_IFDIR | 0o755, b"") for name in ("bin", "modules")]
    entries += [("init", stat.S_IFREG | 0o755, INIT.encode()), ("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes())]
    entries += [(f"modules/{PurePosixPath(path).name}", stat.S_IFREG | 0o644, (modules / path).read_bytes()) for path in order]
    listed = "".join(f"{PurePosixPath(path).name}\n" for path in order)
    entries.append(("modules/order", stat.S_IFREG | 0o644, listed.encode()))
    return gzip.compress(b"".join(write_cpio(entries)), compresslevel=6, mtime=0)


def order_modules(dependencies: str, builtin: str, wanted: Sequence[str] = WANTED) -> list[str]:
    """Return the files of the wanted modules and of what they need, in the order to load them; those built into the kernel are left out.

    `dependencies` is modules.dep. ProvisionError names a module that the kernel does not have.
    """
    needs = {path: after.split() for path, _, after in (line.partition(":") for line in dependencies.splitlines()) if path}
    paths = {module_name(path): path for path in needs}
    built_in = {module_name(path) for path in builtin.split()}
    order: list[str] = []

    def add(path: str) -> None:
        for need in reversed(needs[path]):  # modules.dep lists what is to be loaded first last
            if need not in order:
                add(need)
        if path not in order:
            order.append(path)

    for name in wanted:
        if name in paths:
            add(paths[name])
        elif name not in built_in:
            raise ProvisionError(f"making the initramfs failed: the kernel has no module {name}")
    return order


def module_name(path: str) -> str:
    """Return the name of a module by its file."""
    return PurePosixPath(path).name.partition(".")[0].replace("-", "_")


def write_cpio(entries: Sequence[tuple[str, int, bytes]]) -> Iterator[bytes]:
    """Yield an archive in the format "newc" (Documentation/driver-api/early-userspace/buffer-format.rst) of (name, mode, content)."""
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], start=1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % value for value in fields) + name.encode() + b"\0"
        yield head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)
