"""Where a machine is and how it is logged in to, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SshHost:
    """A host that answers ssh.

    `key` is a private key's file; "" offers the agent's keys and those in ~/.ssh. `known_hosts` is the file its host key must be in; ""
    means ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts. With `sudo` every command runs as root; `sudo_password_file` holds the password
    where sudo asks for one.
    """

    name: str
    address: str
    port: int = 22
    user: str = "root"
    key: str = ""
    known_hosts: str = ""
    jump: SshHost | None = None
    sudo: bool = False
    sudo_password_file: str = ""

    @property
    def has_root(self) -> bool:
        """Whether commands run with root rights."""
        return self.sudo or self.user == "root"

    @property
    def login(self) -> str:
        """What a person would type after `ssh`."""
        return f"{self.user}@{self.address}" + (f" -p {self.port}" if self.port != 22 else "")

    @property
    def known_name(self) -> str:
        """The host's name in a file of known hosts."""
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"

    @property
    def known_hosts_files(self) -> tuple[Path, ...]:
        """The files that its host key may be in."""
        if self.known_hosts:
            return (Path(self.known_hosts).expanduser(),)
        return (Path("~/.ssh/known_hosts").expanduser(), Path("/etc/ssh/ssh_known_hosts"))
