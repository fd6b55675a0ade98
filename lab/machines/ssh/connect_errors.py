"""Errors of connecting to a machine: what failed and why, and the remedy."""

from __future__ import annotations

import errno
import shlex
import socket

import paramiko

from lab.errors import LabError, ProvisionError, UsageError
from lab.machines.ssh.host import SshHost


class UnknownHostKey(paramiko.SSHException):
    """The host is not in the file of known hosts; `key` is the one it showed."""

    def __init__(self, key: paramiko.PKey) -> None:
        super().__init__("unknown host key")
        self.key = key


class RefuseUnknownHost(paramiko.MissingHostKeyPolicy):
    """Refuse hosts that are not known, as paramiko's RejectPolicy does, and keep the key for the error."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002 (paramiko's)
        """Raise UnknownHostKey."""
        raise UnknownHostKey(key)


def connect_error(host: SshHost, error: Exception) -> LabError:
    """Return the error for a connection that failed: UsageError for a key file that cannot be used, else ProvisionError."""
    what, where = f"connecting to {host.name} failed", f"ssh {host.login}"
    known = host.known_hosts_files[0]
    match error:
        case paramiko.BadHostKeyException():
            why = f"its host key has changed: {error.key.fingerprint}, and {known} has {error.expected_key.fingerprint}"
            forget = shlex.join(["ssh-keygen", "-R", host.known_name, "-f", str(known)])
            return ProvisionError(
                f"{what}: {why}",
                where=where,
                remedy=f"find out why; when the host was installed again: {forget}, then add its new key",
            )
        case UnknownHostKey():
            scan = f"ssh-keyscan -p {host.port} {host.address} >> {shlex.quote(str(known))}"
            return ProvisionError(
                f"{what}: its host key {error.key.get_name()} {error.key.fingerprint} is not in {known}",
                where=where,
                remedy=f"compare the fingerprint with that of the host itself, then: {scan}",
            )
        case paramiko.PasswordRequiredException():
            return UsageError(f"{what}: every key in ~/.ssh is encrypted", where=where, remedy="ssh-add, which asks for the passphrase")
        case paramiko.AuthenticationException():
            offered = f"key {host.key}" if host.key else "any key of the agent or of ~/.ssh"
            copy = shlex.join(["ssh-copy-id", *(["-i", host.key] if host.key else []), "-p", str(host.port), f"{host.user}@{host.address}"])
            return ProvisionError(f"{what}: it does not accept {offered} for user {host.user}", where=where, remedy=copy)
        case paramiko.ChannelException() if host.jump:
            return ProvisionError(
                f"{what}: {host.jump.name} cannot reach {host.address} port {host.port}: {error.text}",
                where=where,
                remedy=f"ssh {host.jump.login}, and from there: ssh {host.login}; its sshd must allow TCP forwarding",
            )
    why, remedy = explain(host, error)
    return ProvisionError(f"{what}: {why}", where=where, remedy=remedy)


def explain(host: SshHost, error: Exception) -> tuple[str, str]:
    """Return why a host cannot be reached, and the remedy."""
    remedy = f"check that it runs and that its ssh server listens on port {host.port}"
    why = str(error) or type(error).__name__
    match error:
        case socket.gaierror():
            why, remedy = f"the name {host.address} cannot be resolved", "correct the address, or add it to /etc/hosts"
        case TimeoutError():
            why = f"{host.address} does not answer on port {host.port}"
        case OSError() if error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH}:
            why, remedy = f"there is no route to {host.address}", "check the address, and the network of this computer (ip route)"
        case OSError():
            why = f"nothing listens on port {host.port} of {host.address}" if error.errno == errno.ECONNREFUSED else error.strerror or why
        case paramiko.SSHException() if "banner" in why:
            why = f"the listener on port {host.port} is not an ssh server, or does not answer"
    return why, remedy


def key_error(host: SshHost, why: str, remedy: str = "name the file of a private key") -> UsageError:
    """Return the error for a private key that cannot be used."""
    return UsageError(f"reading the key of {host.name} failed: {why}", where=host.key, remedy=remedy)
