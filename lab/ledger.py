"""The leak ledger: lists what exists of a run outside its directory, before and after the run.

Everything that a run makes is recognised as its own: processes carry its tag in their environment, files and mounts its path,
and everything else a name by `external_name`. What existed before the run is not its leftover.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import environment, ports, proc
from lab.count import count
from lab.docker_engine import find_engine, find_socket
from lab.errors import LeakError
from lab.existing.record import list_claimed
from lab.external_names import PREFIX, VIRSH, belongs_to_run, interface_name
from lab.hints import command
from lab.supervisor.remains import find_orphans

NAMESPACES = Path("/run/netns")
INTERFACES = Path("/sys/class/net")
VM_DISKS = Path("/var/lib/libvirt/images")
"""Where libvirt's machines may read files; a run has one directory there for its disks."""
VM_DISKS_OWNER = "run"
"""The file in such a directory that names the run directory."""
LIBVIRT = Path("/run/libvirt")
"""The daemon's directory: without a daemon, the client takes a tenth of a second to fail."""


@dataclass(frozen=True, order=True)
class Item:
    """Something that exists: its kind ("process", "port", …), what it is called, and the run that made it."""

    kind: str
    name: str
    made_by: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}, made by {self.made_by}"


Census = frozenset[Item]
Engine = Mapping[str, str]
"""A Docker engine, as `lab.docker_engine` names it."""


def take_census(run: Path, *, where: Path | None = None, engine: Engine | None = None) -> Census:
    """Return what exists of a run outside its directory. `where` is the folder of port reservations.

    `engine` is the Docker engine that it used; needed only for a run without a directory, where the engine is recorded.
    """
    run = Path(os.path.realpath(run))
    return frozenset(
        Item(kind, name, str(run))
        for kind, names in {
            "process": list_processes(run),
            "listening port": list_listening_ports(run),
            "port reservation": (str(port) for port, holder in ports.reserved_ports(where) if holder == run),
            "mount": list_mounts(run),
            "network namespace": list_namespaces(run.name),
            "network interface": list_interfaces(run.name),
            "file": list_files(run),
            "container": list_containers(run, engine or find_engine(run)),
            "libvirt domain": list_domains(run.name),
            "libvirt network": list_vm_networks(run.name),
            "libvirt pool": list_vm_pools(run.name),
            "disks of virtual machines": (str(folder) for folder in list_vm_disks(run.name)),
            "claimed cluster": list_claimed(run),
        }.items()
        for name in names
    )


def find_leftovers(before: Census, after: Census) -> list[Item]:
    """Return what exists after and did not exist before, sorted."""
    return sorted(after - before)


def list_leftovers(
    run: Path, *, kept: bool = False, before: Census = frozenset(), where: Path | None = None, engine: Engine | None = None
) -> list[str]:
    """Return one line for each leftover of a deleted run. A kept run may keep its ports reserved; `engine` as in `census`."""
    allowed = {"port reservation"} if kept else set()
    return [str(item) for item in find_leftovers(before, take_census(run, where=where, engine=engine)) if item.kind not in allowed]


def check_leftovers(run: Path, *, kept: bool = False, before: Census = frozenset(), where: Path | None = None) -> None:
    """Raise LeakError when a deleted run has leftovers; it names each, and the run that made it."""
    left = list_leftovers(run, kept=kept, before=before, where=where)
    if left:
        raise LeakError(
            f"cleaning up {run.name} failed: {count(len(left), 'leftover')}",
            where=str(run),
            detail="\n".join(left),
            remedy=command("gc", "--lab", run.name),
        )


# -- one function for each kind: names of what exists -----------------------------------------------------------------------------


def list_processes(run: Path) -> Iterator[str]:
    """Yield the processes that carry the run's tag or are in its records, except the caller and its ancestors."""
    yield from (f"{name} (pid {pid})" for (pid, _), name in find_orphans(str(run)).items())


def list_listening_ports(run: Path) -> Iterator[str]:
    """Yield the TCP ports on which a process of the run listens."""
    if next(proc.find_tagged_processes(str(run)), None) is None:
        return  # no process of the run exists: save the 30 ms of listing listeners
    for listener in ports.list_listeners():
        if listener.run == str(run):
            yield f"{listener.port} of {listener.name} (pid {listener.pid})"


def list_mounts(run: Path, table: Path = Path("/proc/self/mountinfo")) -> Iterator[str]:
    """Yield the mount points in the run directory or with it as their source."""
    for line in read_lines(table):
        fields = line.split()
        separator = fields.index("-")
        point, source = unescape(fields[4]), unescape(fields[separator + 2])
        if any(is_within(Path(path), run) for path in (point, source) if path.startswith("/")):
            yield point


def list_namespaces(run_id: str, folder: Path = NAMESPACES) -> Iterator[str]:
    """Yield the named network namespaces of the run."""
    if folder.is_dir():
        yield from (path.name for path in folder.iterdir() if belongs_to_run(path.name, run_id))


def list_interfaces(run_id: str, folder: Path = INTERFACES) -> Iterator[str]:
    """Yield the network interface of the run on this computer."""
    name = interface_name(run_id)
    if (folder / name).exists():
        yield name


def list_files(run: Path, folder: Path | None = None) -> Iterator[str]:
    """Yield the temporary files and directories of the run. (Those its programs make are in its own `scratch`, by TMPDIR.)"""
    yield from (str(path) for path in (folder or Path(tempfile.gettempdir())).iterdir() if belongs_to_run(path.name, run.name))


def list_containers(run: Path, engine: Engine) -> Iterator[str]:
    """Yield the containers of the run in an engine that answers."""
    yield from (name for name in ask_docker(["ps", "--all", "--format", "{{.Names}}"], engine) if belongs_to_run(name, run.name))


def list_container_mounts(engine: Engine) -> dict[str, list[str]]:
    """Return what each container that a run made has mounted of this computer, by the container's name."""
    form = "{{.Name}}{{range .Mounts}} {{.Source}}{{end}}"
    ours = [name for name in ask_docker(["ps", "--all", "--format", "{{.Names}}"], engine) if name.startswith(PREFIX)]
    found = {}
    for name in ours:
        fields = list(ask_docker(["inspect", "--type", "container", "--format", form, name], engine))
        found[name] = fields[1:]
    return found


def list_domains(run_id: str) -> Iterator[str]:
    """Yield the libvirt domains of the run, where libvirt is there and answers."""
    yield from (name for name in ask([*VIRSH, "list", "--all", "--name"], LIBVIRT) if belongs_to_run(name, run_id))


def list_vm_networks(run_id: str) -> Iterator[str]:
    """Yield the libvirt networks of the run."""
    yield from (name for name in ask([*VIRSH, "net-list", "--all", "--name"], LIBVIRT) if belongs_to_run(name, run_id))


def list_vm_pools(run_id: str) -> Iterator[str]:
    """Yield the libvirt storage pools of the run."""
    yield from (name for name in ask([*VIRSH, "pool-list", "--all", "--name"], LIBVIRT) if belongs_to_run(name, run_id))


def list_vm_disks(run_id: str, folder: Path = VM_DISKS) -> Iterator[Path]:
    """Yield the directory of the run's disks of virtual machines."""
    if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        yield from (path for path in folder.iterdir() if belongs_to_run(path.name, run_id))


def list_owned_disks(folder: Path = VM_DISKS) -> Iterator[tuple[Path, Path]]:
    """Yield each directory of disks of virtual machines with the run directory that it was made for."""
    if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        for path in folder.iterdir():
            if path.name.startswith(PREFIX) and (lines := read_lines(path / VM_DISKS_OWNER)):
                yield path, Path(lines[0])


# -- how --------------------------------------------------------------------------------------------------------------------


def ask_docker(args: list[str], engine: Engine) -> Iterable[str]:
    """Return the lines that Docker's client prints of an engine; none when there is no client or the engine does not answer."""
    return ask(["docker", *args], find_socket(engine), engine=engine)


def ask(argv: list[str], daemon: Path | None, *, engine: Engine | None = None) -> Iterable[str]:
    """Return the lines a tool prints; none when it is not installed or its daemon is not there or does not answer."""
    if (daemon is not None and not daemon.exists()) or shutil.which(argv[0]) is None:
        return ()
    try:
        env = environment.inherit(argv, engine=engine)
        answer = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return answer.stdout.split()


def read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []


def unescape(path: str) -> str:
    """Undo the octal escapes of mountinfo: blanks, tabs, newlines and backslashes."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)


def is_within(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents
