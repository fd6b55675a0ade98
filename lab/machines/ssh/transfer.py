"""Files to and from a machine by sftp, whole or not at all.

A file is written beside its place under a name of its own and renamed when it is complete. sftp has the rights of the login user; where
commands run by sudo, root moves the file between its place and a directory of that user.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

import paramiko

from lab.errors import ProvisionError
from lab.machines.ssh.connection import NoSession, SshConnection
from lab.run import replace_file
from lab.wait import Cancelled, watch_interrupt

SILENT_WITHIN = 30.0
"""Seconds without any answer after which a transfer has failed."""
SESSION_WITHIN = 60.0
PART = ".karmada-lab-part"


@contextmanager
def open_sftp(connection: SshConnection) -> Iterator[paramiko.SFTPClient]:
    """Yield a client of a session of its own: paramiko's is not safe for several threads."""
    try:
        channel = connection.open_session(within=SESSION_WITHIN)
    except NoSession as error:
        raise ProvisionError(f"copying files failed: {error}", where=f"ssh {connection.host.login}") from error
    try:
        channel.settimeout(SILENT_WITHIN)
        channel.invoke_subsystem("sftp")
        with paramiko.SFTPClient(channel) as client:
            yield client
    finally:
        connection.close_session(channel)


def upload(sftp: paramiko.SFTPClient, src: Path, dst: PurePath) -> None:
    """Write a file of this computer to the machine, with its mode, directories included. OSError and SSHException pass through."""
    make_directories(sftp, dst.parent)
    part = os.fsencode(dst.with_name(f".{dst.name[:200]}.{secrets.token_hex(4)}{PART}"))
    mode = stat.S_IMODE(src.stat().st_mode)
    try:
        with src.open("rb") as source:
            with sftp.open(part, "wx") as target:  # made by us: no other process has it open
                target.chmod(0o600)
            sftp.putfo(source, part, callback=stop_on_interrupt(), confirm=True)
        sftp.chmod(part, mode)
        sftp.posix_rename(part, os.fsencode(dst))
    except BaseException:
        with suppress(OSError, EOFError, paramiko.SSHException):
            sftp.remove(part)
        raise


def download(sftp: paramiko.SFTPClient, src: PurePath, dst: Path) -> None:
    """Write a file of the machine to this computer, with its mode, directories included. OSError and SSHException pass through."""
    found = sftp.stat(os.fsencode(src))
    if stat.S_ISDIR(found.st_mode or 0):
        raise IsADirectoryError(errno.EISDIR, "Is a directory", str(src))
    dst.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(dst, mode=stat.S_IMODE(found.st_mode or 0o600)) as part:
        sftp.get(os.fsencode(src), str(part), callback=stop_on_interrupt(), max_concurrent_prefetch_requests=64)


def stop_on_interrupt() -> Callable[[int, int], None]:
    """Return what paramiko calls after each piece of a file: it raises Cancelled once we are interrupted.

    A copy that begins after an interrupt, to save evidence, is made whole.
    """
    interrupted = watch_interrupt()

    def check(_done: int, _size: int) -> None:
        if interrupted():
            raise Cancelled

    return check


def make_directories(sftp: paramiko.SFTPClient, folder: PurePath) -> None:
    """Make a directory and its parents."""
    try:
        sftp.stat(os.fsencode(folder))
    except FileNotFoundError:
        make_directories(sftp, folder.parent)
        try:
            sftp.mkdir(os.fsencode(folder), 0o755)
        except OSError:  # another thread made it meanwhile, or it cannot be made
            sftp.stat(os.fsencode(folder))
