"""What is laid over the root of a machine before it starts: its keys, sshd's configuration, its names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from lab.run import make_folder, write_private

SSH_FOLDER = "etc/ssh/karmada-lab"
SSHD_CONFIG = f"""\
Port 22
HostKey /{SSH_FOLDER}/host_key
AuthorizedKeysFile /{SSH_FOLDER}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
StrictModes no
PidFile none
MaxSessions 250
MaxStartups 100
LogLevel ERROR
Subsystem sftp internal-sftp
"""
"""MaxSessions: a connection has a session for each command that runs, two hundred at once are tested. 10 is usual."""


def ensure_key(file: Path) -> str:
    """Return the public key, as a line of OpenSSH, of the ed25519 key in a file, which is made if need be (0600)."""
    if file.exists():
        return file.with_suffix(".pub").read_text().strip()
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    write_private(file.with_suffix(".pub"), f"{public}\n".encode())
    write_private(file, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return public


def write_seed(folder: Path, name: str, *, host_key: Path, authorized: str, addresses: Mapping[str, str]) -> None:
    """Write the files that are laid over the root of a machine. `addresses` are those of all machines of the run by name."""
    hosts = ["127.0.0.1 localhost", "::1 localhost", *(f"{address} {each}" for each, address in sorted(addresses.items()))]
    files = {
        f"{SSH_FOLDER}/host_key": (host_key.read_bytes(), 0o600),
        f"{SSH_FOLDER}/authorized_keys": (f"{authorized}\n".encode(), 0o644),
        f"{SSH_FOLDER}/sshd_config": (SSHD_CONFIG.encode(), 0o644),
        "etc/hosts": ("\n".join([*hosts, ""]).encode(), 0o644),
        "etc/hostname": (f"{name}\n".encode(), 0o644),
    }
    for path, (content, mode) in files.items():
        make_folder((folder / path).parent, mode=0o755)
        write_private(folder / path, content, mode=mode)


def write_known_hosts(file: Path, keys: Mapping[str, str]) -> None:
    """Write the file of known hosts: the public key of each address."""
    write_private(file, "".join(f"{address} {key}\n" for address, key in sorted(keys.items())).encode())
