"""What is laid over the root of a machine before it starts: its keys, sshd's configuration, its names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
