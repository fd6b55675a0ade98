"""Control groups of this process: version 1, 2 or both, with every ancestor that can be seen.

A limit of an ancestor holds as well, so each controller gives a list of levels, from our own group up to the root of the mount. In a
container the mount shows only a part of the tree, and /proc/self/cgroup may name a path that is not below it: the levels that exist are
then used. What is above the mount cannot be seen from inside; version 1 alone tells it (`hierarchical_memory_limit`).
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lab.limits.files import Reads

NO_LIMIT = 1 << 60
"""Version 1 writes the largest number of pages for "no limit"; whatever is larger than this is none."""


@dataclass(frozen=True)
class Mount:
    """A mounted hierarchy: where, which part of the tree, and its controllers (none for version 2)."""

    point: str
    root: str
    controllers: frozenset[str]
    version: int


@dataclass(frozen=True)
class Level:
    """A group that limits something: `limit` of it, of which `used` is taken. `path` is its directory."""

    path: str
    limit: int
    used: int

    @property
    def free(self) -> int:
        return max(0, self.limit - self.used)


def read_mounts(computer: Reads) -> list[Mount]:
    """Return the hierarchies that are mounted here."""
    found = []
    for line in (computer.read("/proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(kind) < 3 or kind[0] not in {"cgroup", "cgroup2"}:
            continue
        version = 2 if kind[0] == "cgroup2" else 1
        options = frozenset(kind[2].split(",")) if version == 1 else frozenset()
        found.append(Mount(unescape(fields[4]), unescape(fields[3]), options, version))
    return found


def unescape(field: str) -> str:
    r"""Return a path of mountinfo as it is: blanks, tabs, newlines and backslashes are written as \040 …"""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)


def read_own_paths(computer: Reads) -> list[tuple[frozenset[str], str]]:
    """Return the controllers and the path of each group this process is in; no controllers for version 2."""
    found = []
    for line in (computer.read("/proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if path.startswith("/"):
            found.append((frozenset() if number == "0" and not names else frozenset(names.split(",")), path))
    return found


def groups_of(computer: Reads, controller: str) -> tuple[int, list[str]] | None:
    """Return the version that a controller is in and the directories of its groups, our own first, then its ancestors.

    A controller belongs to one hierarchy: where a line of /proc/self/cgroup names it, that is of version 1, else the one of version 2.
    """
    own = read_own_paths(computer)
    first = next((path for names, path in own if controller in names), None)
    version, path = (1, first) if first is not None else (2, next((path for names, path in own if not names), None))
    if path is None:
        return None
    fitting = [mount for mount in read_mounts(computer) if mount.version == version and (version == 2 or controller in mount.controllers)]
    for mount in fitting:
        if (relative := relative_path(path, mount.root)) is not None and is_group(computer, mount.point + relative):
            return version, list(list_ancestors(mount.point, relative))
    for mount in fitting:  # the path is one of another namespace: the mount's own root is what we have
        if is_group(computer, mount.point):
            return version, [mount.point]
    return None


def relative_path(path: str, root: str) -> str | None:
    """Return the path as seen from the mount's root ("" for the root itself); None when it is not below it."""
    if ".." in path.split("/") or ".." in root.split("/"):
        return None
    path, root = posixpath.normpath(path), posixpath.normpath(root)
    if root == "/":
        return "" if path == "/" else path
    if path == root:
        return ""
    return path.removeprefix(root) if path.startswith(root + "/") else None


def is_group(computer: Reads, directory: str) -> bool:
    """Is this a group? Each of both versions has a list of its processes."""
    return computer.read(f"{directory}/cgroup.procs") is not None


def list_ancestors(point: str, relative: str) -> Iterator[str]:
    """Yield the directory of a group, then of each ancestor up to the mount point."""
    while relative:
        yield point + relative
        relative = relative.rpartition("/")[0]
    yield point


def parse_number(text: str | None) -> int | None:
    """Return a limit or a count; None for "max", an absent file, or what version 1 writes for no limit."""
    fields = (text or "").split()
    if not fields or not re.fullmatch(r"-?\d+", fields[0]):
        return None
    value = int(fields[0])
    return None if value < 0 or value >= NO_LIMIT else value


def parse_table(text: str | None) -> dict[str, int]:
    """Return a file of "name number" lines."""
    return {name: int(value) for name, value in re.findall(r"^(\S+) (\d+)$", text or "", re.MULTILINE)}


# -- memory ---------------------------------------------------------------------------------------------------------------------


def memory_levels(computer: Reads) -> list[Level]:
    """Return the groups that limit our memory. Of what is used, cached files are not counted: the kernel drops them under pressure."""
    groups = groups_of(computer, "memory")
    if groups is None:
        return []
    version, directories = groups
    return list(memory_of_v2(computer, directories) if version == 2 else memory_of_v1(computer, directories))


def memory_of_v2(computer: Reads, directories: list[str]) -> Iterator[Level]:
    for directory in directories:
        limits = [limit for name in ("max", "high") if (limit := parse_number(computer.read(f"{directory}/memory.{name}"))) is not None]
        if limits:
            stat = parse_table(computer.read(f"{directory}/memory.stat"))
            cached = stat.get("active_file", 0) + stat.get("inactive_file", 0)
            current = parse_number(computer.read(f"{directory}/memory.current")) or 0
            yield Level(directory, min(limits), max(0, current - cached))


def memory_of_v1(computer: Reads, directories: list[str]) -> Iterator[Level]:
    for place, directory in enumerate(directories):
        if place and (computer.read(f"{directories[place - 1]}/memory.use_hierarchy") or "1").strip() == "0":
            return  # that group does not count for its ancestors
        stat = parse_table(computer.read(f"{directory}/memory.stat"))
        limits = [parse_number(computer.read(f"{directory}/memory.limit_in_bytes")), stat.get("hierarchical_memory_limit")]
        known = [limit for limit in limits if limit is not None and limit < NO_LIMIT]
        if known:
            cached = stat.get("total_active_file", stat.get("active_file", 0)) + stat.get(
                "total_inactive_file", stat.get("inactive_file", 0)
            )
            usage = parse_number(computer.read(f"{directory}/memory.usage_in_bytes")) or 0
            yield Level(directory, min(known), max(0, usage - cached))


def swap_free(computer: Reads) -> int:
    """Return the bytes of swap that this process may still use: the system's, within what its groups allow."""
    system = re.search(r"^SwapFree:\s+(\d+) kB", computer.read("/proc/meminfo") or "", re.MULTILINE)
    room = [int(system[1]) * 1024 if system else 0]
    groups = groups_of(computer, "memory")
    version, directories = groups or (0, [])
    for directory in directories:
        names = ("swap.max", "swap.current") if version == 2 else ("memsw.limit_in_bytes", "memsw.usage_in_bytes")
        limit, used = (parse_number(computer.read(f"{directory}/memory.{name}")) for name in names)
        if limit is not None and version == 2:
            room.append(max(0, limit - (used or 0)))
        elif limit is not None:  # memory and swap together: what is left of it beyond the memory's own limit
            memory = parse_number(computer.read(f"{directory}/memory.limit_in_bytes")) or limit
            room.append(max(0, limit - memory))
    return min(room)


# -- processes and processors -----------------------------------------------------------------------------------------------------


def pids_levels(computer: Reads) -> list[Level]:
    """Return the groups that limit how many processes and threads there are."""
    found = []
    for directory in (groups_of(computer, "pids") or (0, []))[1]:
        limit = parse_number(computer.read(f"{directory}/pids.max"))
        if limit is not None:
            found.append(Level(directory, limit, parse_number(computer.read(f"{directory}/pids.current")) or 0))
    return found


def cpu_quota(computer: Reads) -> float | None:
    """Return how many processors' time the groups allow; None when none limits it."""
    quotas = []
    version, directories = groups_of(computer, "cpu") or (0, [])
    for directory in directories:
        if version == 2:
            fields = (computer.read(f"{directory}/cpu.max") or "max 0").split()
        else:
            fields = [(computer.read(f"{directory}/cpu.cfs_{name}_us") or "").strip() for name in ("quota", "period")]
        if len(fields) == 2 and all(field.isdigit() for field in fields) and int(fields[1]):
            quotas.append(int(fields[0]) / int(fields[1]))
    return min(quotas, default=None)


def usable_processors(computer: Reads, *, fallback: int = 1) -> int:
    """Return how many programs can really run at once: the processors this process may use, within its groups' quota."""
    row = re.search(r"^Cpus_allowed_list:\s+(\S+)", computer.read("/proc/self/status") or "", re.MULTILINE)
    allowed = sum(int(last or first) - int(first) + 1 for first, last in re.findall(r"(\d+)(?:-(\d+))?", row[1])) if row else fallback
    quota = cpu_quota(computer)
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))
