"""What makes a machine itself: its name, keys and addresses. A booting machine finds it in its seed, a restored one is given it."""

from __future__ import annotations

import hashlib
import secrets
import shlex
import time
import uuid
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from lab.external_names import external_name
from lab.factories.vm.render import render_seed
from lab.machines.machine import Machine


@dataclass(frozen=True)
class Identity:
    """The identity of a machine. `host_key` is its private ed25519 key; `authorized_key` is who may log in as root."""

    name: str
    address: str
    prefix: int
    gateway: str
    mac: str
    host_key: str
    host_key_public: str
    authorized_key: str

    def as_assignments(self) -> str:
        """Return what identity.sh reads: assignments quoted for a shell, with the time of this computer."""
        values = {
            "now": f"{time.time():.3f}",
            "entropy": secrets.token_hex(64),
            "machine_id": secrets.token_hex(16),
            "hostname": self.name,
            "host_key": self.host_key,
            "host_key_public": self.host_key_public,
            "authorized_key": self.authorized_key,
            "mac": self.mac,
            "address": self.address,
            "prefix": str(self.prefix),
            "gateway": self.gateway,
        }
        return "".join(f"{name}={shlex.quote(value.strip())}\n" for name, value in values.items())


def choose_mac(run_id: str, name: str) -> str:
    """Return the network address of a machine: in the range that QEMU uses, the same at every call."""
    digest = hashlib.sha256(f"{run_id}/{name}".encode()).hexdigest()
    return f"52:54:00:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"


def choose_uuid(run_id: str, name: str) -> str:
    """Return the identifier of a machine's domain, the same at every call."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, external_name(run_id, name)))


def choose_address(network: IPv4Network, used: set[str]) -> str:
    """Return an address of a network that no machine has; the first ten are left to the gateway and the user."""
    return next(str(address) for address in list(network.hosts())[9:] if str(address) not in used)


def write_seed(machine: Machine, area: Path, seed: Path, identity: Identity, *, instance: str) -> None:
    """Write a seed for cloud-init's data source NoCloud (a file system labelled cidata). `area` is an empty directory for its parts.

    ProvisionError when xorriso fails. The file holds a private key: 0600.
    """
    values = {**identity.__dict__, "hostname": identity.name, "instance": instance, "host_key": identity.host_key.strip()}
    area.mkdir(mode=0o700, parents=True, exist_ok=True)
    for template in ("user-data.yaml.j2", "meta-data.yaml.j2", "network-config.yaml.j2"):
        part = area / template.partition(".")[0]
        part.touch(mode=0o600)
        part.write_text(render_seed(template, **values))
    seed.unlink(missing_ok=True)
    seed.touch(mode=0o600)
    machine.run(["xorriso", "-as", "mkisofs", "-quiet", "-V", "cidata", "-J", "-r", "-o", str(seed), str(area)])
