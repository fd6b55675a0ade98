"""Names of hosts in known_hosts."""

from __future__ import annotations

from lab.machines.ssh.host import SshHost

HOST = SshHost("a", "10.0.0.5", 2222, "user", key="/keys/a", known_hosts="/keys/known")


def test_the_name_in_known_hosts_carries_another_port() -> None:
    assert HOST.known_name == "[10.0.0.5]:2222"
    assert SshHost("a", "10.0.0.5").known_name == "10.0.0.5"
