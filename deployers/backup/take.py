"""Take backups of a control plane while it serves; verify each, then delete the oldest.

The file format is in `archive`, the way back in `restore`. No program is stopped: etcd's snapshot is of one revision, and the keys beside
it do not change. A restore loses what was written after that revision: with a backup every hour, an hour and the seconds a backup takes.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from deployers.addons import site
from deployers.backup import archive
from deployers.backup.archive import KEYS, SNAPSHOT, Manifest
from deployers.backup.destinations.protocol import Destination, archives_of, store
from deployers.backup.encryption import SUFFIX, Recipients
from deployers.backup.source import BackupSource, source_of
from deployers.backup.verify import fingerprint, fingerprint_of, snapshot_status, verify
from deployers.karmada import Karmada
from deployers.members.registry import list_members
from deployers.plane import pending_operation
from lab.errors import LabError, ProvisionError
from lab.hints import command
from lab.run import Run, write_private
from lab.steps import Step, StepObserver, execute
from lab.wait import SYSTEM, Clock

Json = dict[str, Any]


@dataclass(frozen=True)
class Backup:
    """A proven archive at its destination: how long it took, and the names of the older ones that were deleted after it."""

    location: str
    name: str
    manifest: Manifest
    size: int
    seconds: float
    dropped: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file of an archive in a directory."""
        return Path(self.location)


def back_up(
    karmada: Karmada,
    destination: Destination,
    *,
    keep: int | None = None,
    encrypt_to: Recipients | None = None,
    watcher: StepObserver | None = None,
    during: str | None = None,
) -> Backup:
    """Store a proven backup of a serving control plane at a destination, and return it.

    With `keep`, only that many backups of this plane stay: the oldest are deleted after the new one is stored, which always stays.
    `during` names the pending operation that the backup is a part of.

    ProvisionError when etcd or karmada-apiserver does not answer, or another operation is pending; NotPossible when the destination does
    not take it. The destination is unchanged then.
    """
    began = time.monotonic()
    if during is None or pending_operation.facts_of(karmada.run, during) is None:
        pending_operation.require_none(karmada.run)
    taking = BackupRun(karmada, source_of(karmada), destination, encrypt_to)
    with one_at_a_time(karmada.run), scratch_directory(karmada.run) as taking.scratch:
        execute(taking.steps(), karmada.run, watcher=watcher)
        assert taking.manifest
        assert taking.file
        name, size = taking.file.name, taking.file.stat().st_size
        karmada.run.journal("backup", path=destination.locate(name), revision=taking.manifest.revision)
        dropped = delete_oldest(destination, taking.manifest.plane, keep, new=name) if keep else []
    return Backup(destination.locate(name), name, taking.manifest, size, time.monotonic() - began, tuple(dropped))


@contextmanager
def one_at_a_time(run: Run) -> Iterator[None]:
    """Hold the lock of a lab's backups. ProvisionError when another one holds it for ten minutes."""
    try:
        with FileLock(run.folder("data", "scratch") / "backup.lock", timeout=600.0):
            yield
    except Timeout as error:
        raise ProvisionError("backup failed: another backup of this lab is under way", where=str(run.path)) from error


@dataclass
class BackupRun:
    """One backup in progress. Each method is a step."""

    karmada: Karmada
    source: BackupSource
    destination: Destination
    encrypt_to: Recipients | None = None
    scratch: Path = Path()
    manifest: Manifest | None = None
    file: Path | None = None

    def steps(self) -> list[Step]:
        names = ("described", "snapshot", "written", "proven", "encrypted", "stored")
        actions = (self.describe, self.snapshot, self.write, self.prove, self.encrypt, self.store)
        needs = [(), *((f"backup/{name}",) for name in names)]
        return [Step(f"backup/{name}", act, need) for name, act, need in zip(names, actions, needs, strict=False)]

    def describe(self) -> None:
        """Record which control plane this is, before anything is read."""
        spec, pki = self.karmada.spec, self.scratch / "pki"
        for name, content in self.source.keys().items():
            write_private(pki / name, content)
        joined = list_members(self.karmada)
        self.manifest = Manifest(
            plane=fingerprint(pki / "ca.crt"),
            lab=self.karmada.run.id,
            taken=time.time(),
            revision=0,
            hash=0,
            keys=0,
            versions={"karmada": self.karmada.release.version, "kubernetes": spec.kubernetes},
            server=self.karmada.api.server,
            spec=spec.model_dump(mode="json"),
            members={member.name: {"mode": member.mode, "endpoint": member.endpoint} for member in joined.values()},
            parts={},
            addons=site.records_of(self.karmada.run, self.karmada.name),
        )

    def snapshot(self) -> None:
        """Save a snapshot from the leader: it has all entries."""
        health = self.source.health()
        source = next((member for member in health.members if member.leads), None)
        if source is None:
            raise ProvisionError(
                "snapshot failed: etcd has no leader",
                where=", ".join(member.client for member in health.members),
                remedy=command("etcd", "health", lab=self.karmada.run.id),
            )
        assert self.manifest
        self.manifest = replace(self.manifest, versions={**self.manifest.versions, "etcd": source.version})
        self.source.save_snapshot(source, self.scratch / SNAPSHOT)

    def write(self) -> None:
        """Write snapshot, keys and manifest into one archive."""
        assert self.manifest
        files = {SNAPSHOT: self.scratch / SNAPSHOT, **{f"pki/{name}": self.scratch / "pki" / name for name in KEYS}}
        status = snapshot_status(self.source.utl, files[SNAPSHOT])
        self.manifest = replace(
            self.manifest,
            revision=status["revision"],
            hash=status["hash"],
            keys=status["totalKey"],
            parts={name: archive.measure_part(file) for name, file in files.items()},
        )
        self.file = archive.write(self.manifest, files, self.scratch / "made")

    def prove(self) -> None:
        """Verify the archive as a restore would, before anybody else can see it."""
        assert self.file
        with scratch_directory(self.karmada.run) as folder:
            verify(self.file, folder, self.source.utl)

    def encrypt(self) -> None:
        """Encrypt the archive, if that was asked for."""
        assert self.file
        if self.encrypt_to is not None:
            plain, self.file = self.file, self.file.with_name(self.file.name + SUFFIX)
            self.encrypt_to.encrypt(plain, self.file)
            plain.unlink()

    def store(self) -> None:
        """Store the archive and read it back; first delete what interrupted backups of this plane left at the destination."""
        assert self.manifest
        assert self.file
        for name in self.destination.discard_unfinished(self.manifest.plane):
            self.karmada.run.journal("unfinished backup discarded", name=name)
        store(self.destination, self.file, self.file.name, self.scratch)


@contextmanager
def scratch_directory(run: Run) -> Iterator[Path]:
    """Yield a private directory of the run and delete it afterwards: it holds keys and all of etcd's data."""
    with tempfile.TemporaryDirectory(prefix="backup-", dir=run.folder("data", "scratch")) as folder:
        yield Path(folder)


# -- many of them --------------------------------------------------------------------------------------------------------


def delete_oldest(destination: Destination, plane: str, keep: int, *, new: str) -> list[str]:
    """Delete all but the newest `keep` backups of one plane and return the names of the deleted ones. Other files stay.

    The new one is proven and counts as the newest, also when a clock that was set back gave it an earlier name.
    """
    old = [each.name for each in archives_of(destination, plane) if each.name != new][keep - 1 :]
    for name in old:
        destination.delete(name)
    return old


def find_last(karmada: Karmada, destination: Destination) -> dt.datetime | None:
    """Return when the newest backup of a control plane at a destination was taken, by its name; None: there is none."""
    newest = next(iter(archives_of(destination, plane_of(karmada))), None)
    return archive.read_time(newest.name) if newest else None


def plane_of(karmada: Karmada) -> str:
    """Return the fingerprint of a control plane's authority, as its manifests have it."""
    return fingerprint_of(source_of(karmada).keys()["ca.crt"])


def back_up_on_schedule(
    back_up: Callable[[], Backup],
    *,
    every: float,
    report: Callable[[Backup | LabError], object],
    times: int | None = None,
    clock: Clock = SYSTEM,
) -> None:
    """Take a backup now and then every `every` seconds, counted from start to start, until interrupted (or `times` times).

    A failed backup is passed to `report` and does not end the schedule. After one that takes longer than `every`, the next starts at once.
    """
    done = 0
    while times is None or done < times:
        began = clock.now()
        try:
            report(back_up())
        except LabError as error:
            report(error)
        done += 1
        if times is None or done < times:
            clock.sleep(max(0.0, began + every - clock.now()))
