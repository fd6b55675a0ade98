"""A machine reached by ssh: the five verbs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePath

import paramiko

from lab import environment, proc
from lab.errors import CommandFailed, NotPossible, ProvisionError, UsageError
from lab.machines.machine import Completed
from lab.machines.owner import RemoteOwner
from lab.machines.record import ROOT_FOLDER
from lab.machines.ssh.connection import SshConnection, connection_to
from lab.machines.ssh.host import SshHost
from lab.machines.ssh.remote_command import Sudo, make_header
from lab.machines.ssh.session import RemoteProcess
from lab.machines.ssh.stream import SshStream
from lab.machines.ssh.transfer import download, open_sftp, upload
from lab.program import Program

USER_FOLDER = ".karmada-lab"
TRANSFER_WITHIN = 600.0


class SshMachine:
    """A host that answers ssh, for one run. All handles of one process share its connection.

    Commands are in the login user's home directory and have the environment of its login shell, not that of this computer; `env` is laid
    over it. They carry the run's tag, the path of its directory there.
    """

    def __init__(self, host: SshHost, run_id: str, *, folder: str = "", owner: Callable[[SshMachine], RemoteOwner] | None = None) -> None:
        self.host = host
        self._make_owner = owner
        self.run_id = run_id
        self._folder = folder

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def connection(self) -> SshConnection:
        """The connection to the host, which this process shares."""
        return connection_to(self.host)

    @cached_property
    def folder(self) -> str:
        """The directory there that all runs share: /var/lib/karmada-lab with root rights, else ~/.karmada-lab."""
        if self._folder:
            return self._folder
        if self.host.has_root:
            return ROOT_FOLDER
        with open_sftp(self.connection) as sftp:
            return f"{sftp.normalize('.')}/{USER_FOLDER}"

    @property
    def root(self) -> str:
        """The run's directory there."""
        return f"{self.folder}/runs/{self.run_id}"

    def run(
        self, argv: Sequence[str], *, input: str | bytes | None = None, env: Mapping[str, str] | None = None, within: float = 60.0
    ) -> Completed:
        """Run a command to its end; see `Machine.run`. CommandLost when the connection is lost while it runs.

        When time is up or we are interrupted, its process group there is killed. Another session or background process that it started in
        a group of its own is not.
        """
        began = time.monotonic()
        given = input.encode() if isinstance(input, str) else input or b""
        ended = self._process(argv).run(self._header(argv, env) + given, within=within)
        stdout, stderr = ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace")
        if ended.status:
            raise CommandFailed(argv, status=ended.status, output=stdout + stderr, machine=self.name)
        return Completed(tuple(argv), stdout, stderr, time.monotonic() - began)

    def put(self, src: Path, dst: Path) -> None:
        """Copy a file of this computer to the machine, whole or not at all; mode and directories included. With sudo, root owns it."""

        def copy() -> None:
            with open_sftp(self.connection) as sftp:
                if not self.host.sudo:
                    upload(sftp, src, PurePath(dst))
                    return
                staged = self._staging(sftp)
                try:
                    upload(sftp, src, PurePath(staged))
                    self.run(["sh", "-c", INSTALL, "sh", staged, str(dst.parent), str(dst)], within=TRANSFER_WITHIN)
                finally:
                    with suppress(OSError):
                        sftp.remove(staged)

        self._transfer(f"copying {src} to {dst}", copy, dst, size=src.stat().st_size if src.is_file() else 0)

    def get(self, src: Path, dst: Path) -> None:
        """Copy a file of the machine to this computer, whole or not at all, with its mode."""

        def copy() -> None:
            with open_sftp(self.connection) as sftp:
                if not self.host.sudo:
                    download(sftp, PurePath(src), dst)
                    return
                staged = self._staging(sftp)
                try:
                    self.run(["sh", "-c", FETCH, "sh", str(src), staged, self.host.user], within=TRANSFER_WITHIN)
                    download(sftp, PurePath(staged), dst)
                finally:
                    self.run(["rm", "-f", "--", staged])

        self._transfer(f"copying {src} to {dst}", copy, src)

    def start(self, program: Program) -> None:
        """Start a program; see `Machine.start`. Its paths are those of the machine."""
        self.owner.start(program)

    def stop(self, name: str, *, within: float = 10.0, kill: bool = False) -> None:
        """End a program; see `Machine.stop`."""
        self.owner.stop(name, within=within, kill=kill)

    @cached_property
    def owner(self) -> RemoteOwner:
        """What owns the programs of this run there."""
        if self._make_owner is None:
            raise NotPossible(f"running programs on {self.name} failed: this handle belongs to no lab", where=self.name)
        return self._make_owner(self)

    def open_stream(self, argv: Sequence[str], *, within: float = 20.0) -> SshStream:
        """Start a command that keeps running and return the stream of its input and output; errors as in `run`."""
        untagged = {proc.TAG: ""}  # the end of the run's programs must not cut it off
        return self._process(argv).open(self._header(argv, untagged), within=within)

    # -- how ---------------------------------------------------------------------------------------------------------

    def _process(self, argv: Sequence[str]) -> RemoteProcess:
        sudo, password = self._rights()
        return RemoteProcess(self.connection, argv, sudo=sudo, password=password)

    def _header(self, argv: Sequence[str], env: Mapping[str, str] | None) -> bytes:
        try:
            return make_header({**environment.inherit(argv, caller={}), proc.TAG: self.root, **(env or {})})
        except ValueError as error:
            raise UsageError(f"running {argv[0]} failed: {error}", where=self.name) from error

    def _rights(self) -> tuple[Sudo, bytes]:
        """Return how commands become root, and sudo's password."""
        host = self.host
        if not host.sudo or not host.sudo_password_file:
            return (Sudo.QUIET if host.sudo else Sudo.NONE), b""
        try:
            return Sudo.PASSWORD, Path(host.sudo_password_file).expanduser().read_bytes().split(b"\n")[0]
        except OSError as error:
            raise UsageError(
                f"reading the sudo password of {host.name} failed: {error.strerror}",
                where=host.sudo_password_file,
                remedy="correct sudo_password_file",
            ) from error

    def _staging(self, sftp: paramiko.SFTPClient) -> str:
        """Return a name for a file in the login user's home directory that only that user can reach."""
        folder = f"{sftp.normalize('.')}/.karmada-lab-copies"
        with suppress(OSError):
            sftp.mkdir(folder, 0o700)
        return f"{folder}/{os.urandom(8).hex()}"

    def _transfer(self, what: str, copy: Callable[[], None], there: Path, *, size: int = 0) -> None:
        """Copy. ProvisionError says why it failed, on which side."""
        try:
            copy()
        except (CommandFailed, EOFError, OSError, paramiko.SSHException) as error:
            why = self._transfer_failure(error, there, size)
            raise ProvisionError(f"{what} failed: {why}", where=self.name) from error

    def _transfer_failure(self, error: Exception, there: Path, size: int) -> str:
        """Return why a copy failed. sftp says only "Failure" for a full disk and others: the machine is asked then."""
        if isinstance(error, CommandFailed):
            return (error.output.strip().splitlines() or [error.what])[-1]
        if not self.connection.is_active():
            return f"the connection to {self.name} was lost; the file there is as it was"
        if isinstance(error, OSError) and error.errno is not None:
            return error.strerror or str(error)
        with suppress(ProvisionError):
            return self.run(
                ["sh", "-c", DIAGNOSE, "sh", str(there.parent), str(there), str(size >> 10)], within=10.0
            ).stdout.strip() or str(error)
        return str(error) or type(error).__name__


INSTALL = """
set -e
mkdir -p -- "$2"
part="$2/.$(basename -- "$1").karmada-lab-part"
trap 'rm -f -- "$part"' EXIT
cp --preserve=mode -- "$1" "$part"
mv -fT -- "$part" "$3"
"""
FETCH = """
set -e
[ ! -d "$1" ] || { echo "Is a directory: $1" >&2; exit 1; }
cp --preserve=mode -- "$1" "$2"
chown -- "$3" "$2"
"""
DIAGNOSE = """
if [ -d "$2" ]; then echo "it is a directory: $2"; exit; fi
folder=$1
while [ ! -d "$folder" ]; do folder=$(dirname -- "$folder"); done
if [ ! -w "$folder" ]; then echo "the directory cannot be written: $folder"; exit; fi
if [ "$(df -Pk -- "$folder" | awk 'NR == 2 {print $4}')" -lt "$(($3 + 64))" ]; then echo "No space left on device: $folder"; fi
"""
