"""What the file system of a directory can do, found out by trying: a scratch directory is made there and removed.

Mount flags alone do not tell: a FUSE or 9p file system may refuse sockets, ignore modes, or lack locks whatever its flags say.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.limits.cgroup import unescape
from lab.limits.files import Reads

LONGEST = 3800
"""Bytes of a path beyond which files below it may get longer than the kernel's 4096."""


@dataclass(frozen=True)
class Directory:
    """A directory that is or would be made, and what can be done in it. `lacks`: what cannot, with the reason, in the order found."""

    path: Path
    existing: Path
    """It, or its nearest ancestor that exists."""
    lacks: dict[str, str]
    free: int
    inodes: int | None
    """Free ones; None where the file system does not count them (btrfs, some FUSE)."""
    kind: str = ""
    """The type of the file system, as mountinfo says."""


def inspect_directory(path: Path, computer: Reads) -> Directory:
    """Try everything that a lab does with files in a directory. Nothing stays, and nothing raises."""
    lacks: dict[str, str] = {}
    if strange := sorted({character for character in str(path) if character == ":" or not character.isprintable()}):
        lacks["name"] = f"its path contains {', '.join(map(repr, strange))}, which PATH, KUBECONFIG and Docker's volumes cannot carry"
    if len(os.fsencode(path)) > LONGEST:
        lacks["name"] = f"its path has {len(os.fsencode(path))} bytes; files below it would exceed the kernel's 4096"
    existing = path
    try:
        while not existing.exists():
            existing = existing.parent
        if existing != path and path.is_symlink():
            lacks["write"] = f"{path} is a link to nothing"
    except OSError as error:  # a name that is too long, a directory that may not be searched
        lacks["write"] = f"{error.strerror}: {error.filename}"
        existing = Path("/")
    lacks |= {} if "write" in lacks else try_all(existing)
    if "write" not in lacks and existing == path and (foreign := entries_of_others(path)):
        lacks["owner"] = f"{', '.join(foreign)} cannot be written, as after a run by another user"
    free, inodes = free_space(existing)
    return Directory(path, existing, lacks, free, inodes, kind_of(existing, computer))


def entries_of_others(path: Path) -> list[str]:
    """Return the folders of a directory, and the locks in them, that this user cannot write; "." when it cannot be read."""
    try:
        candidates = [Path(entry.path) for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return ["."]
    candidates += [lock for entry in candidates if os.path.lexists(lock := entry / ".lock")]
    return [str(entry.relative_to(path)) for entry in sorted(candidates) if not os.access(entry, os.W_OK)]


def free_space(path: Path) -> tuple[int, int | None]:
    """Return the bytes and the inodes that this user can still take."""
    try:
        figures = os.statvfs(path)
    except OSError:
        return 0, 0
    return figures.f_bavail * figures.f_frsize, figures.f_favail if figures.f_files else None


def kind_of(path: Path, computer: Reads) -> str:
    """Return the type of the file system that a path is on; "" when it is not known."""
    best, kind = "", ""
    for line in (computer.read("/proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and path.is_relative_to(point := unescape(fields[4])) and len(point) >= len(best):
            best, kind = point, after.split(" ")[0]
    return kind


def try_all(existing: Path) -> dict[str, str]:
    """Return what cannot be done in a directory that exists, by name, with the reason."""
    if not existing.is_dir():
        return {"write": f"{existing} is not a directory"}
    try:
        scratch = Path(tempfile.mkdtemp(prefix=".karmada-lab.", dir=existing))
    except OSError as error:
        return {"write": f"{error.strerror}: {existing}"}
    try:
        trials = {
            "write": try_write,
            "modes": try_modes,
            "execute": try_execute,
            "sockets": try_socket,
            "locks": try_lock,
            "mapped files": try_map,
            "links": try_link,
            "case": try_case,
            "clock": try_clock,
        }
        found = {}
        for name, trial in trials.items():
            try:
                trial(scratch)
            except (OSError, ValueError) as error:
                found[name] = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return found
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def try_write(folder: Path) -> None:
    """Write a file, have it on the disk, and replace another by it."""
    with (folder / "new").open("wb") as out:
        out.write(b"x" * 4096)
        out.flush()
        os.fsync(out.fileno())
    (folder / "old").touch()
    (folder / "new").replace(folder / "old")


def try_modes(folder: Path) -> None:
    """Make a file and a directory private. vfat says yes and keeps what it likes; a mode that is only read back would not show it."""
    for path, mode in ((folder / "key", 0o600), (folder / "private", 0o700)):
        path.mkdir() if mode == 0o700 else path.touch()
        path.chmod(mode)
        if (kept := path.stat().st_mode & 0o777) != mode:
            raise ValueError(f"mode {mode:04o} becomes {kept:04o}: keys would be readable by others")


def try_execute(folder: Path) -> None:
    """Ask for all that executing a program from it takes: the right, and memory to run it in. No program is started."""
    if os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise ValueError("it is mounted noexec: programs cannot be started from it")
    program = folder / "program"
    program.write_bytes(b"\0" * mmap.PAGESIZE)
    program.chmod(0o755)
    if not os.access(program, os.X_OK):
        raise ValueError("a program in it may not be executed")
    with program.open("rb") as opened:
        mmap.mmap(opened.fileno(), mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_EXEC).close()


def try_socket(folder: Path) -> None:
    """Listen on a Unix socket. By a descriptor, for an address holds 107 bytes only."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            listener.bind(f"/proc/self/fd/{descriptor}/socket")
            listener.listen(1)
            client.settimeout(5)
            client.connect(f"/proc/self/fd/{descriptor}/socket")
    finally:
        os.close(descriptor)


def try_lock(folder: Path) -> None:
    """Lock a file, as labs and etcd do. A second lock must be refused: a file system that grants all locks protects nothing."""
    with (folder / "lock").open("w") as first, (folder / "lock").open("w") as second:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            raise ValueError("a file that is locked can be locked again")


def try_map(folder: Path) -> None:
    """Map a file into memory, as etcd does with its database."""
    path = folder / "mapped"
    path.write_bytes(b"\0" * mmap.PAGESIZE)
    with path.open("r+b") as opened:
        mmap.mmap(opened.fileno(), mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ).close()


def try_link(folder: Path) -> None:
    """Make a symbolic link, as a lab does for its client programs."""
    (folder / "link").symlink_to("lock")


def try_case(folder: Path) -> None:
    """Create two files with names that differ in case only, as Go's module cache and node images have."""
    (folder / "Case").write_text("upper")
    if (folder / "case").exists():
        raise ValueError("it does not tell upper from lower case")


def try_clock(folder: Path) -> None:
    """Compare the file system's clock with this computer's: a server that is minutes off makes files of the future."""
    path = folder / "time"
    path.touch()
    if abs(off := path.stat().st_mtime - time.time()) > 60:
        raise ValueError(f"its clock is {off:+.0f} s off")
