"""The disks of a run's virtual machines: a pool of libvirt's with an overlay for each machine, which holds what it writes."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.external_names import external_name
from lab.factories.vm.connection import LibvirtFailed, connect, find, translate_errors
from lab.factories.vm.render import render_xml
from lab.ledger import VM_DISKS, VM_DISKS_OWNER
from lab.run import Run


def pool_name(run: Run) -> str:
    """Return the name of a run's pool with libvirt."""
    return external_name(run.id, "disks")


def pool_folder(run: Run) -> Path:
    """Return the directory of a run's pool."""
    return VM_DISKS / pool_name(run)


def ensure_pool(run: Run) -> Any:
    """Return the pool of a run, made and started if it is not."""
    connection = connect()
    with translate_errors(f"making the disks of lab {run.id}"):
        pool = find(connection.storagePoolLookupByName, pool_name(run))
        if pool is None:
            pool = connection.storagePoolDefineXML(render_xml("pool", name=pool_name(run), path=pool_folder(run)), 0)
        if not pool.isActive():
            pool.build(0)
            pool.create(0)
    (pool_folder(run) / VM_DISKS_OWNER).write_text(f"{run.path}\n")
    return pool


def make_overlay(pool: Any, name: str, backing: Path, *, capacity: int) -> Path:
    """Return a disk that begins as `backing` and takes what is written; one of that name is replaced."""
    with translate_errors(f"making disk {name}"):
        if (old := find(pool.storageVolLookupByName, name)) is not None:
            old.delete(0)
        volume = pool.createXML(render_xml("volume", name=name, capacity=capacity, backing=backing), 0)
        return Path(volume.path())


def delete_pool(run: Run) -> None:
    """Delete the disks of a run and their pool; twice is fine. No machine may run."""
    pool = find(connect().storagePoolLookupByName, pool_name(run))
    if pool is not None:
        with translate_errors(f"deleting the disks of lab {run.id}"):
            with suppress(LibvirtFailed), translate_errors("stopping the pool"):  # one that is not active
                pool.destroy()
            pool.undefine()
    shutil.rmtree(pool_folder(run), ignore_errors=True)
