"""Garbage collection: remove what dead runs left on this computer, and return it.

A run is dead when no supervisor holds its lock and no command holds the run's. A live lab is never touched, and of a
dead one only what provably belongs to it: processes by tag and start time, mounts in its directory, names with its id.
Its directory stays, with logs and evidence, unless it is half-written or `remove_run` removes it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from lab import external_names, ledger, ports, proc
from lab.computer import Computer
from lab.count import count
from lab.docker_engine import find_engine, read_engine, select_engine
from lab.errors import LeakError, NotPossible, UsageError
from lab.existing.record import list_claimed
from lab.existing.release import release_all
from lab.external_names import VIRSH
from lab.factories.release import list_released, release_machines
from lab.hints import command
from lab.run import Run, discard, list_runs
from lab.session_folder import dead_sessions
from lab.supervisor.remains import find_orphans, kill_orphans
from lab.supervisor.server import take_lock

YOUNG = 600.0
"""Seconds for which a directory without a readable run.json is taken for one that is being written."""
MARKS = ("run.json", ".run.json.", "journal.jsonl", "supervisor.lock")
"""Names of files that only a run directory has. A directory without them is left alone."""


@dataclass(frozen=True)
class RemovedItem:
    """One thing that was removed, or with `dry_run` would be: what kind, what it was called, and of which run it was."""

    kind: str
    name: str
    run: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.run}"


def sweep(root: Path, *, where: Path | None = None, young: float = YOUNG, dry_run: bool = False) -> list[RemovedItem]:
    """Remove what dead runs under `root` left, and return it. `where` is the folder of port reservations."""
    root = Path(os.path.realpath(root))
    removed: list[RemovedItem] = []
    failures: list[LeakError] = []
    for run in (root / run_id for run_id in list_runs(root) if is_run(root / run_id)):
        with lock_run(run) as mine:
            if mine:
                removed += sweep_run(run, failures, young=young, where=where, dry_run=dry_run)
    for gone in root.glob(".*.gone"):  # deletions cut short
        removed.append(RemovedItem("run directory", str(gone), gone.name[1:-5]))
        if not dry_run:
            shutil.rmtree(gone, ignore_errors=True)
    for session in dead_sessions(root):  # of a pytest that was killed
        removed.append(RemovedItem("session folder", str(session), session.name[1:]))
        if not dry_run:
            shutil.rmtree(session, ignore_errors=True)
    removed += remove_stray_locks(root, dry_run=dry_run)
    removed += kill_strays(root, dry_run=dry_run) + remove_stray_containers(root, dry_run=dry_run)
    removed += remove_stray_virtual_machines(root, dry_run=dry_run)
    removed += release_dead_ports(where, dry_run=dry_run)
    if failures:
        raise LeakError(
            f"removing {count(len(failures), 'dead lab')} failed: objects are left on existing clusters",
            where=str(root),
            detail="\n".join(str(error) for error in failures),
            remedy=f"when they answer again: {command('gc')}",
        )
    return removed


def sweep_run(run: Path, failures: list[LeakError], *, young: float, where: Path | None, dry_run: bool) -> list[RemovedItem]:
    """Remove what one dead run left, and return it. A cluster that does not answer is added to the failures; the rest is removed."""
    removed = remove_leftovers(run, dry_run=dry_run)
    try:
        removed += [] if is_kept(run) else release_clusters(run, dry_run=dry_run) + release_hosts(run, dry_run=dry_run)
    except LeakError as error:
        failures.append(error)
    return removed + (remove_directory(run, where, dry_run=dry_run) if is_half_written(run, young) else [])


def remove_run(run: Path, *, where: Path | None = None, dry_run: bool = False) -> list[RemovedItem]:
    """Remove all of one dead run, its directory, containers and domains included, and return it.

    NotPossible when the lab is alive or a command works on it; UsageError when there is no such directory.
    """
    run = Path(os.path.realpath(run))
    if not run.is_dir() or not is_run(run):
        raise UsageError(f"{run.name} is not a run directory", where=str(run))
    with lock_run(run) as mine:
        if not mine:
            raise NotPossible(f"removing lab {run.name} failed: it is running", where=str(run), remedy=command("down", lab=run.name))
        removed = remove_leftovers(run, dry_run=dry_run) + release_clusters(run, dry_run=dry_run) + release_hosts(run, dry_run=dry_run)
        return removed + remove_directory(run, where, dry_run=dry_run)


def is_alive(run: Path) -> bool:
    """Return whether a supervisor owns this run or a command works on it."""
    with lock_run(run) as mine:
        return not mine


@contextmanager
def lock_run(run: Path) -> Iterator[bool]:
    """Take both locks of a run, so that no command can start it meanwhile; yield False when another process holds one of them."""
    with ExitStack() as stack:
        command = FileLock(f"{run}.lock", timeout=0)
        known = Path(f"{run}.lock").exists()
        try:
            stack.enter_context(command)
        except Timeout:
            yield False
            return
        if not known:
            stack.callback(Path(f"{run}.lock").unlink, missing_ok=True)
        lock = take_lock(str(run))
        if lock is None:
            yield False
            return
        stack.callback(os.close, lock)
        yield True


def is_run(run: Path) -> bool:
    """Return whether this is a run directory, whole or half-written."""
    try:
        return any(path.name.startswith(MARKS) for path in run.iterdir())
    except OSError:  # not ours to read, or just deleted
        return False


def is_half_written(run: Path, young: float) -> bool:
    """Return whether this directory has had no readable run.json for `young` seconds."""
    try:
        return not isinstance(json.loads((run / "run.json").read_text()), dict)
    except (OSError, ValueError):
        with suppress(OSError):  # it is just being deleted
            return time.time() - read_last_change(run) > young
        return False


def read_last_change(run: Path) -> float:
    """Return when something in this directory was last written; the lock, which looking at it may have made, does not count."""
    entries = [path for path in run.iterdir() if path.name != "supervisor.lock"] or [run / "supervisor.lock"]
    return max(path.stat().st_mtime for path in entries)


# -- one function for each kind -----------------------------------------------------------------------------------------------------


def remove_leftovers(run: Path, *, dry_run: bool) -> list[RemovedItem]:
    """Remove processes, mounts, namespaces and the stale socket of a run; the caller holds the run's locks."""
    names = [f"{name} (pid {pid})" for (pid, _), name in find_orphans(str(run)).items()] if dry_run else kill_orphans(str(run))
    removed = [RemovedItem("process", name, run.name) for name in names]
    for point in sorted(ledger.list_mounts(run), key=len, reverse=True):  # what is mounted deeper comes off first
        removed += remove_by_command("mount", point, run, ["umount", "--lazy", point], dry_run=dry_run)
    for name in ledger.list_namespaces(run.name):
        removed += remove_by_command("network namespace", name, run, ["ip", "netns", "delete", name], dry_run=dry_run)
    for name in ledger.list_interfaces(run.name):  # it goes with its namespace, unless that was deleted by hand
        removed += remove_by_command("network interface", name, run, ["ip", "link", "delete", name], dry_run=dry_run)
    removed += remove_containers(ledger.list_containers(run, engine := find_engine(run)), run, engine, dry_run=dry_run)
    removed += remove_virtual_machines(run, dry_run=dry_run)
    socket = run / "supervisor.sock"
    if socket.exists():
        removed.append(RemovedItem("socket", str(socket), run.name))
        if not dry_run:
            socket.unlink(missing_ok=True)
    return removed


def remove_virtual_machines(run: Path, *, dry_run: bool) -> list[RemovedItem]:
    """Remove libvirt's domains, networks and pools of a run, then the disks."""
    metadata = ("--managed-save", "--snapshots-metadata", "--checkpoints-metadata", "--nvram")
    removed = []
    for kind, names, stop, remove in (
        ("libvirt domain", ledger.list_domains(run.name), ("destroy",), ("undefine", *metadata)),
        ("libvirt network", ledger.list_vm_networks(run.name), ("net-destroy",), ("net-undefine",)),
        ("libvirt pool", ledger.list_vm_pools(run.name), ("pool-destroy",), ("pool-undefine",)),
    ):
        for name in names:
            remove_by_command(kind, name, run, [*VIRSH, *stop, name], dry_run=dry_run)  # fails when it is not active
            removed += remove_by_command(kind, name, run, [*VIRSH, *remove, name], dry_run=dry_run)
    for folder in ledger.list_vm_disks(run.name):
        if not dry_run:
            shutil.rmtree(folder, ignore_errors=True)
        if dry_run or not folder.exists():
            removed.append(RemovedItem("disks of virtual machines", str(folder), run.name))
    return removed


def remove_stray_virtual_machines(root: Path, *, dry_run: bool) -> list[RemovedItem]:
    """Remove virtual machines of runs under `root` that have no directory any more: the directory of their disks names the run."""
    runs = {run for _, run in ledger.list_owned_disks() if run.parent == root and not run.exists()}
    return [item for run in sorted(runs) for item in remove_virtual_machines(run, dry_run=dry_run)]


def release_clusters(run: Path, *, dry_run: bool) -> list[RemovedItem]:
    """Take away what a dead run put on clusters that exist. LeakError when one does not answer: its record stays."""
    names = list_claimed(run)
    if dry_run or not names:
        return [RemovedItem("claim on the cluster", name, run.name) for name in names]
    removed = release_all(Run.load(run.name, root=run.parent), by="gc")
    return [RemovedItem("object", line, run.name) for line in removed]


def release_hosts(run: Path, *, dry_run: bool) -> list[RemovedItem]:
    """End the programs of a dead run on the user's machines and delete its files there. What is not reached ends with its lease."""
    try:
        loaded = Run.load(run.name, root=run.parent)
    except (UsageError, NotPossible):  # half-written
        return []
    names = list_released(loaded, keep=False)
    unreached = {} if dry_run else release_machines(loaded)
    return [RemovedItem("directory on the machine", name, run.name) for name in names if name not in unreached]


def is_kept(run: Path) -> bool:
    """Return whether a run was stopped with its state kept: what it put on clusters belongs to that state."""
    try:
        events = list(Run.load(run.name, root=run.parent).events())
    except (UsageError, NotPossible):  # half-written
        return True
    last = next((event for event in reversed(events) if event["event"] in {"begun", "down"}), {})
    return last.get("event") == "down" and bool(last.get("keep"))


def remove_directory(run: Path, where: Path | None, *, dry_run: bool) -> list[RemovedItem]:
    """Remove a run directory and give back its ports. What is mounted in it must be gone: otherwise it stays."""
    if not dry_run:
        if any(ledger.list_mounts(run)):
            raise NotPossible(
                f"something is still mounted in {run.name}", where=", ".join(ledger.list_mounts(run)), remedy="unmount it by hand"
            )
        ports.release(run, where=where)
        discard(run)
        Path(f"{run}.lock").unlink(missing_ok=True)  # a command that was killed left it
    return [RemovedItem("run directory", str(run), run.name)]


def remove_stray_locks(root: Path, *, dry_run: bool) -> list[RemovedItem]:
    """Remove the locks of commands that were killed before they made a run directory."""
    removed = []
    for file in sorted(root.glob("*.lock")):
        run = file.with_suffix("")
        if run.exists():
            continue
        with suppress(Timeout), FileLock(file, timeout=0):
            removed.append(RemovedItem("lock", str(file), run.name))
            if not dry_run:
                file.unlink(missing_ok=True)
    return removed


def kill_strays(root: Path, *, dry_run: bool) -> list[RemovedItem]:
    """Kill processes of runs under `root` that have no directory any more."""
    removed = []
    for pid, started, tag in proc.find_tagged_processes():
        run = Path(tag)
        if run.parent == root and not run.exists():
            name = proc.read_name(pid)
            if dry_run or proc.kill_process(pid, started, within=2.0):
                removed.append(RemovedItem("process", f"{name} (pid {pid})", run.name))
    return removed


def remove_stray_containers(root: Path, *, dry_run: bool) -> list[RemovedItem]:
    """Remove containers of runs under `root` that have no directory any more: their mounts name the run."""
    removed = []
    engines = [select_engine(), *(read_engine(root / run_id) for run_id in list_runs(root))]
    for engine in (each for at, each in enumerate(engines) if each and each not in engines[:at]):
        for name, mounts in ledger.list_container_mounts(engine).items():
            for run in {root / Path(mount).relative_to(root).parts[0] for mount in mounts if ledger.is_within(Path(mount), root)}:
                if not run.exists() and external_names.belongs_to_run(name, run.name):
                    removed += remove_containers([name], run, engine, dry_run=dry_run)
    return removed


def remove_containers(names: Iterable[str], run: Path, engine: ledger.Engine, *, dry_run: bool) -> list[RemovedItem]:
    """Remove containers of an engine with their volumes."""
    args = ["docker", "rm", "--force", "--volumes"]
    return [each for name in names for each in remove_by_command("container", name, run, [*args, name], engine=engine, dry_run=dry_run)]


def release_dead_ports(where: Path | None, *, dry_run: bool) -> list[RemovedItem]:
    """Release the ports of runs without a directory, wherever it was."""
    gone = sorted({holder for _, holder in ports.reserved_ports(where) if not holder.is_dir()})
    removed = []
    for run in gone:
        taken = [port for port, holder in ports.reserved_ports(where) if holder == run] if dry_run else ports.release(run, where=where)
        removed += [RemovedItem("port reservation", str(port), run.name) for port in taken]
    return removed


def remove_by_command(
    kind: str, name: str, run: Path, argv: list[str], *, dry_run: bool, engine: ledger.Engine | None = None
) -> list[RemovedItem]:
    """Run the command that removes something. Return [] when the command fails: the thing still exists."""
    if not dry_run and not Computer(engine=engine).ask(argv, within=30.0).ok:
        return []
    return [RemovedItem(kind, name, run.name)]
