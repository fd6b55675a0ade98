"""Virtual machines of a run: the steps that make them, and their removal from the records alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from lab.errors import ProvisionError
from lab.external_names import external_name
from lab.factories.login import check_login, ensure_key, write_known_hosts
from lab.factories.vm.agent import check_agent, run_by_agent
from lab.factories.vm.connection import LibvirtFailed, connect, find, translate_errors
from lab.factories.vm.disks import delete_pool, ensure_pool, make_overlay, pool_folder
from lab.factories.vm.domain import DomainFiles, DomainIdentity, VmShape, define_domain, delete_domain, describe_domain, list_domains
from lab.factories.vm.identity import Identity, choose_address, choose_mac, choose_uuid, write_seed
from lab.factories.vm.image import DISK_BYTES, VmImage, ensure_image
from lab.factories.vm.network import delete_network, ensure_network, read_network
from lab.factories.vm.save_file import copy_saved
from lab.factories.vm.saved_state import KEEPS_ADDRESS, SavedState, ensure_state
from lab.factories.vm.waiting import until_up
from lab.hints import command
from lab.machines.local import Local
from lab.machines.record import MachineRecord, forget_machine, read_machines, record_machine
from lab.machines.registry import ssh_host
from lab.machines.ssh.connection import disconnect
from lab.run import Run
from lab.steps import Step

KIND = "vm"
UP_WITHIN = 600.0
"""Seconds for a boot, by software emulation beside other work."""
IDENTITY = "/usr/local/sbin/karmada-lab-identity"
MADE = "made"
"""The mark, in the detail of its record, of a machine that has its identity."""


def make_machines(run: Run, names: Sequence[str], shape: VmShape | None = None, *, cold: bool = False) -> list[Step]:
    """Return the steps that make virtual machines: one each, called `machines/<name>`, after those of image, network and saved state.

    What runs already is left alone. With `cold` each boots by itself; otherwise it is restored from the saved state.
    """
    size = shape or VmShape()
    image = Step("machines/image", ensure_image)
    network = Step("machines/vm-network", partial(prepare, run, tuple(names)), (image.name,))
    steps = [image, network]
    if not cold:
        steps.append(Step("machines/saved-state", lambda: ensure_state(run, ensure_image(), size, ensure_network(run)), (network.name,)))
    start = boot_machine if cold else restore_machine
    return [*steps, *(Step(f"machines/{name}", partial(start_machine, run, name, size, start), (steps[-1].name,)) for name in names)]


def prepare(run: Run, names: Sequence[str]) -> None:
    """Record the machines, and make their network, keys and pool. Each machine keeps the address that it has."""
    network = ensure_network(run)
    known = {name: record for name, record in read_machines(run).items() if record.kind == KIND}
    pki = run.folder("pki", "machines")
    key, hosts = str(pki / "id_ed25519"), str(pki / "vm_known_hosts")
    for name in names:
        if name not in known:
            address = choose_address(network.addresses, {record.address for record in known.values()})
            detail = {"domain": external_name(run.id, name)}
            known[name] = record_machine(run, name, MachineRecord(KIND, address, key=key, known_hosts=hosts, systemd=True, detail=detail))
    ensure_key(pki / "id_ed25519")
    write_known_hosts(pki / "vm_known_hosts", {record.address: ensure_key(pki / f"{name}_host_key") for name, record in known.items()})
    ensure_pool(run)


def start_machine(run: Run, name: str, shape: VmShape, start: Callable[[Run, str, VmShape, VmImage], Any]) -> None:
    """Make a machine and return when it can be logged in to. One that runs is left alone; one that is shut off is started again.

    ProvisionError with the end of its console when it does not come up.
    """
    record = read_machines(run)[name]
    domain = find(connect().lookupByName, external_name(run.id, name))
    console = locate_console(run, name)
    console.parent.mkdir(parents=True, exist_ok=True)
    if domain is None or MADE not in (record.detail or {}):  # one without the mark may have the identity of the saved state still
        domain = start(run, name, shape, ensure_image())
        record_machine(run, name, replace(record, detail={**(record.detail or {}), MADE: "yes"}))
    else:
        with translate_errors(f"starting machine {name}"):
            if not domain.isActive():
                domain.create()
    until_up(domain, console, partial(check_login, run, name), what=f"logging in to machine {name}", within=UP_WITHIN)


def boot_machine(run: Run, name: str, shape: VmShape, image: VmImage) -> Any:
    """Make the domain of a machine that boots by itself, with its identity in a seed, and start it."""
    files = DomainFiles(
        make_overlay(ensure_pool(run), f"{name}.qcow2", image.disk, capacity=DISK_BYTES), locate_seed(run, name), locate_console(run, name)
    )
    write_seed(Local(run.path), run.folder("data", "machines", name, "seed"), files.seed, make_identity(run, name), instance=name)
    domain = define(run, name, shape, image, files)
    with translate_errors(f"starting machine {name}"):
        domain.create()
    return domain


def restore_machine(run: Run, name: str, shape: VmShape, image: VmImage) -> Any:
    """Make the domain of a machine out of the saved state, and give it its identity."""
    network = ensure_network(run)
    state = ensure_state(run, image, shape, network)
    console = locate_console(run, name)
    files = DomainFiles(make_overlay(ensure_pool(run), f"{name}.qcow2", state.disk, capacity=DISK_BYTES), state.seed, console)
    domain = define(run, name, shape, image, files, boot=KEEPS_ADDRESS)
    try:
        restore(run, name, state, files, network.name)
        until_up(domain, console, partial(check_agent, domain), what=f"machine {name} answers", within=UP_WITHIN)
        run_by_agent(domain, [IDENTITY], input=make_identity(run, name).as_assignments())
    except BaseException:
        delete_domain(domain.name())  # half an identity would be taken for a machine that is there
        raise
    return domain


def restore(run: Run, name: str, state: SavedState, files: DomainFiles, network: str) -> None:
    """Start the domain of a machine with the memory of the saved state."""
    memory = pool_folder(run) / f"{name}.memory"
    changes = {
        "name": external_name(run.id, name),
        "uuid": choose_uuid(run.id, name),
        "description": f"machine {name} of the lab in {run.path}",
        "disk": str(files.disk),
        "seed": str(files.seed),
        "mac": choose_mac(run.id, name),
        "network": network,
        "console": str(files.console),
    }
    try:
        copy_saved(state.memory, memory, changes)
        with translate_errors(f"restoring machine {name}"):
            connect().restore(str(memory))
    finally:
        memory.unlink(missing_ok=True)


def define(run: Run, name: str, shape: VmShape, image: VmImage, files: DomainFiles, *, boot: str = "") -> Any:
    """Define the domain of a machine and return it; `boot` are more arguments of its kernel."""
    network = read_network(run)
    assert network is not None
    identity = DomainIdentity(external_name(run.id, name), choose_uuid(run.id, name), choose_mac(run.id, name), name, run.path)
    return define_domain(describe_domain(image, shape, files, identity, network=network.name, boot=boot), identity.name)


def make_identity(run: Run, name: str) -> Identity:
    """Return the identity of a machine: its recorded address, and keys made if need be."""
    network = read_network(run)
    assert network is not None
    pki = run.folder("pki", "machines")
    public = ensure_key(pki / f"{name}_host_key")
    private = (pki / f"{name}_host_key").read_text()
    address, prefix = read_machines(run)[name].address, network.addresses.prefixlen
    return Identity(name, address, prefix, network.gateway, choose_mac(run.id, name), private, public, ensure_key(pki / "id_ed25519"))


def locate_console(run: Run, name: str) -> Path:
    """Return where the console of a machine is written to."""
    return run.log(f"machines/{name}")


def locate_seed(run: Run, name: str) -> Path:
    """Return where the seed of a machine is."""
    return pool_folder(run) / f"{name}.iso"


def delete_machines(run: Run) -> None:
    """Delete all virtual machines of a run with their disks and their network, and their records. Twice is fine, after a crash too."""
    machines = read_machines(run)
    names = [name for name, record in machines.items() if record.kind == KIND]
    if not names and read_network(run) is None:
        return
    try:
        for name in names:
            disconnect(ssh_host(machines, name, run))
        for domain in list_domains(run.id):
            delete_domain(domain)
        delete_pool(run)
        delete_network(run)
    except LibvirtFailed as failed:
        raise ProvisionError(
            f"deleting the virtual machines of {run.id} failed: {failed.what}", where=failed.where, remedy=command("down", lab=run.id)
        ) from failed
    for name in names:
        forget_machine(run, name)
