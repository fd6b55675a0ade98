"""How machines that are made here are logged in to: the key of the run, the host keys of its machines, and a first login."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from lab.errors import ProvisionError
from lab.machines.record import read_machines
from lab.machines.registry import ssh_host
from lab.machines.ssh.connection import connection_to
from lab.run import Run, write_private
from lab.wait import NotYet


def ensure_key(file: Path) -> str:
    """Return the public key, as a line of OpenSSH, of the ed25519 key in a file, which is made if need be (0600)."""
    if file.exists():
        return file.with_suffix(".pub").read_text().strip()
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    write_private(file.with_suffix(".pub"), f"{public}\n".encode())
    write_private(file, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return public


def write_known_hosts(file: Path, keys: Mapping[str, str]) -> None:
    """Write the file of known hosts: the public key of each address."""
    write_private(file, "".join(f"{address} {key}\n" for address, key in sorted(keys.items())).encode())


def check_login(run: Run, name: str) -> None:
    """Return when a machine can be logged in to, which opens this process' connection; NotYet before."""
    try:
        connection_to(ssh_host(read_machines(run), name, run)).transport()
    except ProvisionError as error:
        raise NotYet(error.what) from error
