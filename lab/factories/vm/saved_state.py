"""Machines that have booted, saved: one for each image and shape. A machine of a run is a copy of one and takes seconds.

    <IMAGES>/KEY/state-SHAPE/{memory, disk.qcow2, seed.iso}

The saved machine has no address, and its keys are its own alone: what is restored is given an identity before its network is up.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lab.assets.cache import Cache
from lab.assets.progress import AssetProgress, Sink, ignore_progress
from lab.errors import ProvisionError
from lab.external_names import external_name
from lab.factories.login import ensure_key
from lab.factories.vm.agent import check_agent, run_by_agent
from lab.factories.vm.connection import connect, translate_errors
from lab.factories.vm.disks import ensure_pool, make_overlay, pool_folder
from lab.factories.vm.domain import DomainFiles, DomainIdentity, VmShape, choose_accelerator, define_domain, delete_domain, describe_domain
from lab.factories.vm.identity import Identity, choose_mac, choose_uuid, write_seed
from lab.factories.vm.image import DISK_BYTES, VmImage
from lab.factories.vm.network import VmNetwork
from lab.factories.vm.waiting import until_up
from lab.machines.local import Local
from lab.run import Run
from lab.wait import NotYet

NAME = "saved-state"
KEEPS_ADDRESS = "network-config=disabled"
"""Of the kernel: cloud-init leaves the network as it is on the disk. The seed of a restored machine is that of the saved state."""
BOOT_WITHIN = 600.0
"""Seconds for the one boot, by software emulation beside other work."""


@dataclass(frozen=True)
class SavedState:
    """A machine that has booted, saved."""

    folder: Path

    @property
    def memory(self) -> Path:
        return self.folder / "memory"

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    @property
    def seed(self) -> Path:
        return self.folder / "seed.iso"


def locate_state(image: VmImage, shape: VmShape) -> SavedState:
    """Return the saved state of an image and shape, which may not be there. Another QEMU or libvirt cannot read it, so it has its own."""
    connection = connect()
    with translate_errors("asking libvirt for its version"):
        versions = f"{connection.getLibVersion()} {connection.getVersion()}"
    template = (Path(__file__).parent / "templates" / "domain.xml.j2").read_text()
    parts = [versions, str(shape), choose_accelerator(image), template]
    return SavedState(image.folder / f"state-{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:12]}")


def ensure_state(run: Run, image: VmImage, shape: VmShape, network: VmNetwork, *, progress: Sink = ignore_progress) -> SavedState:
    """Return the saved state of an image, made now if it is not there: one machine of this run boots for it.

    ProvisionError with the end of its console when that machine does not come up.
    """
    state = locate_state(image, shape)
    if state.folder.is_dir():
        return state
    subject = "saved virtual machine"
    with Cache().working(f"vm-{image.key}-{state.folder.name}", subject=subject, progress=progress) as area:
        if state.folder.is_dir():  # another run made it while we waited
            return state
        progress(AssetProgress("packing", subject, note="it boots once"))
        name = external_name(run.id, NAME)
        try:
            boot_and_save(run, image, shape, network, area, state, name)
        finally:
            delete_domain(name)
    return state


def boot_and_save(run: Run, image: VmImage, shape: VmShape, network: VmNetwork, area: Path, state: SavedState, name: str) -> None:
    """Boot a machine of the image, save it, and move what is saved to its place, whole."""
    pool = ensure_pool(run)
    disk = make_overlay(pool, "saved-state.qcow2", image.disk, capacity=DISK_BYTES)
    seed = pool_folder(run) / "saved-state.iso"
    public = ensure_key(area / "host_key")
    private = (area / "host_key").read_text()
    addresses = network.addresses
    identity = Identity(
        "localhost", str(addresses[-2]), addresses.prefixlen, network.gateway, choose_mac(run.id, NAME), private, public, ""
    )
    write_seed(Local(run.path), area / "seed", seed, identity, instance="saved-state")
    files = DomainFiles(disk, seed, run.log(f"machines/{NAME}"))
    files.console.parent.mkdir(parents=True, exist_ok=True)
    owner = DomainIdentity(name, choose_uuid(run.id, NAME), identity.mac, NAME, run.path)
    document = describe_domain(image, shape, files, owner, network=network.name, boot=KEEPS_ADDRESS)
    domain = define_domain(document, name)
    with translate_errors("starting the machine that is to be saved"):
        domain.create()
    until_up(domain, files.console, partial(check_agent, domain), what="the machine that is to be saved has started", within=BOOT_WITHIN)
    until_up(domain, files.console, partial(check_settled, domain), what="the machine that is to be saved has booted", within=BOOT_WITHIN)
    run_by_agent(domain, ["/bin/sh", "-c", "ip link set dev eth0 down && sync && echo 3 >/proc/sys/vm/drop_caches"])
    staged = state.folder.with_name(f".{state.folder.name}.new")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o755)
    try:
        with translate_errors("saving the machine"):
            domain.save(str(staged / "memory"))
        shutil.copyfile(disk, staged / "disk.qcow2")
        shutil.copyfile(seed, staged / "seed.iso")
        for path in staged.iterdir():
            path.chmod(0o600 if path.name == "memory" else 0o644)
        staged.rename(state.folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def check_settled(domain: Any) -> None:
    """Return when systemd has started all units, whether or not one of them failed, and sshd is one of them; NotYet before."""
    script = "systemctl is-active ssh.service && { systemctl is-system-running || true; }"
    try:
        states = run_by_agent(domain, ["/bin/sh", "-c", f"{script} 2>&1 || true"])
    except ProvisionError as error:
        raise NotYet(str(error).splitlines()[0]) from error
    lines = states.split()
    if len(lines) < 2 or lines[-1] not in {"running", "degraded"}:
        raise NotYet(" ".join(lines) or "no answer")
