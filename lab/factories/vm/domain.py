"""A domain: a virtual machine as libvirt knows it."""

from __future__ import annotations

import functools
import platform
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.computer import Computer
from lab.doctor.kvm import kvm_error
from lab.errors import NotPossible
from lab.external_names import belongs_to_run
from lab.factories.vm.connection import SETUP, LibvirtFailed, connect, find, translate_errors
from lab.factories.vm.image import VmImage
from lab.factories.vm.render import render_xml

CMDLINE = "root=/dev/vda rw console={console} net.ifnames=0 ds=nocloud systemd.firstboot=off mitigations=off panic=-1"
METADATA = 1 | 2 | 4 | 16
"""Undefine a domain with its managed save, its snapshots' metadata, its NVRAM and its checkpoints (VIR_DOMAIN_UNDEFINE_…)."""
CAUSES = (
    "Kernel panic",
    "initramfs:",
    "not syncing",
    "No working init",
    "I/O error",
    "Out of memory",
    "Traceback",
    "[FAILED]",
    "Failed to",
)
"""What a console says when a machine does not come up, the worst first."""
TAIL = 15


@dataclass(frozen=True)
class VmShape:
    """How large a machine is."""

    memory_mib: int = 768
    cpus: int = 1


@dataclass(frozen=True)
class DomainFiles:
    """The files of a domain: its disk, its seed, and where its console is written to."""

    disk: Path
    seed: Path
    console: Path


@dataclass(frozen=True)
class DomainIdentity:
    """What distinguishes one domain from another, and the machine and the run directory that it belongs to."""

    name: str
    uuid: str
    mac: str
    machine: str
    run: Path


@functools.cache
def choose_accelerator(image: VmImage) -> str:
    """Return "kvm" where a guest boots by it on this computer, else "qemu": software emulation."""
    return "kvm" if kvm_error(Computer(), kernel=str(image.kernel)) == "" else "qemu"


def find_emulator(arch: str) -> str:
    """Return the path of QEMU for an architecture. NotPossible without one."""
    name = f"qemu-system-{arch}"
    found = shutil.which(name)
    if found is None:
        raise NotPossible(f"virtual machines need {name}, which is not installed", remedy=SETUP)
    return found


def describe_domain(image: VmImage, shape: VmShape, files: DomainFiles, identity: DomainIdentity, *, network: str, boot: str = "") -> str:
    """Return the XML of a domain; `boot` are more arguments of its kernel. NotPossible without an emulator."""
    arch = platform.machine()
    console = "ttyS0" if arch == "x86_64" else "ttyAMA0"
    return render_xml(
        "domain",
        accelerator=choose_accelerator(image),
        arch=arch,
        emulator=find_emulator(arch),
        board="q35" if arch == "x86_64" else "virt",
        kernel=image.kernel,
        initrd=image.initrd,
        cmdline=f"{CMDLINE.format(console=console)} {boot}".strip(),
        memory_mib=shape.memory_mib,
        cpus=shape.cpus,
        disk=files.disk,
        seed=files.seed,
        console=files.console,
        name=identity.name,
        uuid=identity.uuid,
        mac=identity.mac,
        network=network,
        machine=identity.machine,
        run=identity.run,
    )


def define_domain(document: str, name: str) -> Any:
    """Define a domain and return it; one of that name that exists is replaced."""
    connection = connect()
    delete_domain(name)
    with translate_errors(f"defining domain {name}"):
        return connection.defineXML(document)


def delete_domain(name: str) -> None:
    """End and remove a domain with its snapshots; twice is fine."""
    domain = find(connect().lookupByName, name)
    if domain is None:
        return
    with suppress(LibvirtFailed), translate_errors("ending it"):  # one that does not run
        domain.destroy()
    with suppress(LibvirtFailed), translate_errors("removing it"):  # a transient one went when it ended
        domain.undefineFlags(METADATA)
    if find(connect().lookupByName, name) is not None:
        with translate_errors(f"removing domain {name}"):
            domain.undefineFlags(METADATA)


def list_domains(run_id: str) -> list[str]:
    """Return the names of all domains of a run."""
    with translate_errors("listing domains"):
        names = [domain.name() for domain in connect().listAllDomains()]
    return sorted(name for name in names if belongs_to_run(name, run_id))


def read_console(console: Path) -> str:
    """Return the end of what a machine wrote to its console."""
    try:
        text = console.read_text(errors="replace")
    except OSError as error:
        return f"(its console cannot be read: {error.strerror})"
    return "\n".join(line.rstrip() for line in text.splitlines()[-TAIL:]) or "(it wrote nothing to its console)"


def find_cause(console: Path) -> str:
    """Return the line of a console that says why a machine does not come up; "" when there is none."""
    try:
        lines = console.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for cause in CAUSES for line in lines if cause in line), "")
