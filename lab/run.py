"""The run directory `_runs/<id>/`: the only state there is.

    run.json          id, schema, the requested lab (the whole document); written first
    journal.jsonl     one line an event, appended: intent before, outcome after
    records/K/N.json  what exists or is about to: ports, clusters, members (kind K, name N)
    pki/ kubeconfig/  certificates, keys and kubeconfigs, mode 0600; the run directory is 0700
    data/ logs/ processes/ evidence/ scratch/ (TMPDIR of all programs and commands)
    supervisor.sock   the socket of the process that owns this lab's processes (lab.supervisor)

`down`, `status`, `gc`, reports and a second harness need nothing else. A crash at any point leaves a directory that
`Run.load` either understands or refuses with what to do; it is never half-understood.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from lab.errors import NotPossible, UsageError
from lab.hints import command
from lab.lock import WaitReport, ignore_wait, lock_run

SCHEMA = 1
"""Of the run directory. A directory of another schema is refused, never guessed at."""

ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
Json = dict[str, Any]


def runs_root() -> Path:
    """Where run directories live: $KARMADA_LAB_RUNS, or `_runs` in the current directory."""
    return Path(os.environ.get("KARMADA_LAB_RUNS") or "_runs").absolute()


@dataclass(frozen=True)
class Run:
    """One lab's directory. Two processes may hold it at once; every write is atomic or a single append."""

    id: str
    path: Path
    asked: Json
    """The document `lab up` was given, defaults filled in: `{"lab": …, "karmada": …}`."""
    created: float
    _appending: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def create(cls, run_id: str, asked: Json, *, root: Path | None = None) -> Run:
        """Make the directory and run.json, and return it. UsageError when the id is illegal or already there."""
        path = run_path(run_id, root)
        if (path / "run.json").exists():
            raise UsageError(f"lab {run_id} exists already", where=str(path), remedy=command("down", lab=run_id))
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
        created = time.time()
        write_json(path / "run.json", {"schema": SCHEMA, "id": run_id, "created": created, "asked": asked})
        return cls(run_id, path, asked, created)

    @classmethod
    def load(cls, run_id: str, *, root: Path | None = None) -> Run:
        """Open a run directory by id. UsageError when there is none; NotPossible when it cannot be understood."""
        path = (root or runs_root()) / run_id
        if not path.is_dir():
            known = ", ".join(sorted(list_runs(root))) or "none"
            raise UsageError(f"no lab {run_id!r} exists", where=f"{path.parent} (labs: {known})", remedy=command("up", lab=run_id))
        remedy = f"{command('gc', '--lab', run_id)}   (removes the directory and whatever is left of it)"
        try:
            head = json.loads((path / "run.json").read_text())
            schema = head["schema"]
            if schema == SCHEMA:
                return cls(head["id"], path, head["asked"], head["created"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotPossible(
                f"the run directory of {run_id} is incomplete: {error}", where=str(path / "run.json"), remedy=remedy
            ) from error
        raise NotPossible(
            f"the run directory of {run_id} is of another version (schema {schema}; this one is {SCHEMA})",
            where=str(path / "run.json"),
            remedy=f"use the version that made it, or {remedy}",
        )

    def ask(self, asked: Json) -> Run:
        """Replace the requested lab (the whole document) and return the changed run. Commands that change a running lab call it."""
        write_json(self.path / "run.json", {"schema": SCHEMA, "id": self.id, "created": self.created, "asked": asked})
        self.forget("up", "arguments")  # `lab up` has to compare its arguments with the lab again
        return replace(self, asked=asked)

    # -- the journal -------------------------------------------------------------------------------------------------

    def journal(self, event: str, **fields: Any) -> None:
        """Append one event. One write(2) of a whole line: concurrent writers do not interleave."""
        line = json.dumps({"at": round(time.time(), 3), "event": event, **fields}, default=str) + "\n"
        with self._appending, (self.path / "journal.jsonl").open("ab", buffering=0) as journal:
            journal.write(line.encode())

    def events(self) -> Iterator[Json]:
        """Yield the journal's events in order. A last line cut short by a crash is passed over."""
        try:
            lines = (self.path / "journal.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue

    # -- records -----------------------------------------------------------------------------------------------------

    def record(self, kind: str, name: str, data: Json) -> Json:
        """Write the record of one thing, replacing what was there, and return it. Written before the thing is made."""
        write_json(self.path / "records" / kind / f"{name}.json", data)
        return data

    def recorded(self, kind: str, name: str) -> Json | None:
        """Return one record, or None when there is none."""
        path = self.path / "records" / kind / f"{name}.json"
        try:
            loaded: Json = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        return loaded

    def records(self, kind: str) -> dict[str, Json]:
        """Return all records of a kind by name, sorted."""
        folder = self.path / "records" / kind
        return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}

    def forget(self, kind: str, name: str) -> None:
        """Remove a record; removing one that is not there is fine."""
        (self.path / "records" / kind / f"{name}.json").unlink(missing_ok=True)

    # -- places ------------------------------------------------------------------------------------------------------

    def folder(self, *parts: str) -> Path:
        """Return a directory of this run, made if need be. Those that hold keys are 0700, whatever the umask."""
        mode = 0o700 if parts[0] in {"pki", "kubeconfig", "data"} else 0o755
        return make_folder(self.path.joinpath(*parts), mode=mode)

    def kubeconfig(self, cluster: str) -> Path:
        """Where the kubeconfig of a cluster of this run is or will be."""
        return self.path / "kubeconfig" / f"{cluster}.yaml"

    def log(self, component: str) -> Path:
        """Where a component ("member1/etcd") logs to."""
        return self.path / "logs" / f"{component}.log"

    # -- one at a time -----------------------------------------------------------------------------------------------

    def lock(self, *, within: float = 600.0, waiting: WaitReport = ignore_wait) -> FileLock:
        """Acquire the lock that every command that changes the lab holds, and return it. NotPossible names the holder."""
        return lock_run(self.path, within=within, waiting=waiting)

    def remove(self) -> None:
        """Delete the directory. Nothing of this run may be running.

        It is renamed first, so that a deletion cut short leaves no half directory of that name (`lab gc` removes the rest).
        """
        discard(self.path)
        Path(str(self.path) + ".lock").unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Delete a run directory: it vanishes at once under its name, then what was in it. One that is gone is fine."""
    gone = path.with_name(f".{path.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    try:
        path.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)
    if gone.exists():  # a program that was ending wrote a last file meanwhile
        shutil.rmtree(gone)


def run_path(run_id: str, root: Path | None = None) -> Path:
    """Return where the directory of a run is or will be. UsageError when the id is not a name for a lab."""
    if not ID.fullmatch(run_id):
        raise UsageError(f"invalid lab name {run_id!r}", remedy="use up to 40 lower-case letters, digits and '-', as in a DNS label")
    return (root or runs_root()) / run_id


def list_runs(root: Path | None = None) -> list[str]:
    """Return the ids of the directories under the root that look like runs, half-written ones included."""
    folder = root or runs_root()
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and ID.fullmatch(path.name))


def make_folder(path: Path, *, mode: int) -> Path:
    """Make a directory and its parents, those that are missing with this mode, whatever the umask; return it."""
    for folder in reversed([path, *path.parents]):
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
    return path


def write_json(path: Path, data: Json) -> None:
    """Replace a file by this document, whole or not at all."""
    write_private(path, json.dumps(data, indent=1, default=str).encode(), mode=0o644)


@contextmanager
def replace_file(path: Path, *, mode: int = 0o600) -> Iterator[Path]:
    """Yield a file beside `path`, empty, that replaces it when the body has passed and is deleted otherwise. OSError passes through."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    unfinished = Path(temporary)
    try:
        yield unfinished
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.chmod(mode)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_private(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file whole or not at all; keys and kubeconfigs keep the default mode. NotPossible on a full disk.

    Directories that are missing are made: 0700 for a private file, 0755 for another.
    """
    try:
        make_folder(path.parent, mode=0o755 if mode & 0o044 else 0o700)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
            Path(temporary).chmod(mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NotPossible(
            f"cannot write {path.name}: {error.strerror}", where=str(path), remedy="free some space there, then run this again"
        ) from error
