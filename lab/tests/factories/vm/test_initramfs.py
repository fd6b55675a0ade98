from __future__ import annotations

import pytest

from lab.errors import ProvisionError
from lab.factories.vm.initramfs import order_modules, write_cpio

DEPENDENCIES = "a/ext4.ko: a/mbcache.ko a/jbd2.ko\na/mbcache.ko:\na/jbd2.ko:\na/virtio-blk.ko: a/virtio.ko\na/virtio.ko:\n"


def test_modules_come_after_those_they_need_and_built_in_ones_are_left_out() -> None:
    order = order_modules(DEPENDENCIES, "kernel/crc32c_generic.ko\n", ["virtio_blk", "crc32c_generic", "ext4"])

    assert order == ["a/virtio.ko", "a/virtio-blk.ko", "a/jbd2.ko", "a/mbcache.ko", "a/ext4.ko"]


def test_a_module_that_the_kernel_lacks_is_named() -> None:
    with pytest.raises(ProvisionError, match="xfs"):
        order_modules(DEPENDENCIES, "", ["xfs"])


def test_an_archive_is_aligned_and_ends_with_its_trailer() -> None:
    archive = b"".join(write_cpio([("init", 0o100755, b"#!"), ("bin", 0o040755, b"")]))

    assert archive.startswith(b"070701")
    assert len(archive) % 4 == 0
    assert archive.count(b"070701") == 3
    assert b"TRAILER!!!" in archive
