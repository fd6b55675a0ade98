"""The checks that every lab has to pass, as a table: `lab doctor` prints them, and the preflight of `lab up` applies them.

A check is a pure function of a Probe and of Needs, what the lab takes. A finding that is `needed` and not ok refuses the lab.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lab import ports
from lab.computer import Probe
from lab.count import count
from lab.hints import command
from lab.limits import account, cgroup
from lab.limits.directory import Directory
from lab.limits.finding import GIB, MIB, Finding, Needs
from lab.limits.memory import free_memory
from lab.limits.processes import Limit, read_limits, thread_limits

OPEN_FILES = 1024
"""Descriptors of one program at its start, measured: a kube-apiserver with some hundred connections to its etcd takes about 300."""
ADDRESS_SPACE = 4 * GIB
"""Go reserves address space beforehand; a kube-apiserver has 1.3 to 2 GiB of it, of which it uses a tenth."""
FILE_SIZE = 2 * GIB
"""Up to here an etcd's database may grow; its log is made in files of 64 MiB."""
CPU_SECONDS = 3600
WATCHES = 8192
INODES = 2000
"""Files and directories of one lab, with room."""
BUILT = 1_735_689_600
"""1 January 2025: no release that is pinned here is older, so a clock before it is wrong."""
RAISED = "the lab's programs are given the hard limit; commands of your shell and containers keep their own"

Check = Callable[[Probe, Needs], list[Finding]]


def check_kernel(probe: Probe, needs: Needs) -> list[Finding]:
    """A kernel with pidfds (5.3), since a process is signalled by its pidfd and by nothing else; and /proc, where all of this is read."""
    release = (probe.read("/proc/sys/kernel/osrelease") or "").strip()
    version = re.match(r"(\d+)\.(\d+)", release)
    ok = version is not None and (int(version[1]), int(version[2])) >= (5, 3)
    found = f"Linux {release}" if release else "not Linux, or /proc is not mounted"
    if why := probe.pidfd():  # seccomp profiles of older engines, gVisor
        ok, found = False, f"{found}; pidfd_open is refused: {why}"
    remedy = "use Linux 5.3 or later, with /proc mounted, and a seccomp profile that allows pidfd_open"
    findings = [Finding("kernel", ok, found, "labs of processes", remedy, needed=True)]
    if not probe.opens("/dev/null"):
        findings.append(
            Finding("devices", False, "/dev/null cannot be opened", "any program", "mount /dev (mknod /dev/null c 1 3)", needed=True)
        )
    return findings


def check_memory(probe: Probe, needs: Needs) -> list[Finding]:
    """Free memory, within every cgroup's limit, against what the lab takes, and how many members fit."""
    free = free_memory(probe, in_engine=needs.in_engine)
    if not free.known:
        return [Finding("memory", True, "not known: /proc/meminfo cannot be read", "a lab")]
    terms = " + ".join(str(share) for share in needs.memory)
    fits = needs.members_that_fit(free.bytes)
    programs = f" in {count(needs.programs, 'program')}" if needs.programs else ""
    found = f"this lab needs {needs.memory_bytes / GIB:.1f} GiB{programs} ({terms}); {free.why}"
    if free.bytes >= needs.memory_bytes:
        return [Finding("memory", True, f"{found}; {count_members(fits)}", "a lab", needed=True)]
    more = "raise that limit (docker run --memory, limits.memory of a pod, MemoryMax of a unit)" if free.limited else "free some memory"
    fewer = f", or take fewer members: --members {fits}" if fits else ""
    return [Finding("memory", False, f"{found}; {count_members(fits)}", "a lab", more + fewer, needed=True)]


def count_members(number: int) -> str:
    return f"{number} member fits" if number == 1 else f"{number or 'no'} members fit"


def check_threads(probe: Probe, needs: Needs) -> list[Finding]:
    """Every limit of processes counts threads: a Go program has some more than the processors it sees."""
    processors = cgroup.usable_processors(probe)
    each = 8 + 2 * min(processors, 16)
    need = each * max(needs.programs, 10)
    levels = thread_limits(probe, of_user=probe.threads_in_use(), in_engine=needs.in_engine)
    tightest = min(levels, key=lambda level: level.free, default=None)
    if tightest is None:
        return [Finding("threads", True, "no limit that can be seen", "a lab")]
    seen = f"{tightest.path} is {tightest.limit}, {tightest.used} in use → {tightest.free} free"
    found = f"about {count(need, 'thread')} for {count(needs.programs, 'program')}; {seen}"
    how = (
        "ulimit -Hu"
        if tightest.path.startswith("RLIMIT")
        else f"sysctl {tightest.path}"
        if tightest.path.startswith("kernel.")
        else "pids.max"
    )
    return [Finding("threads", tightest.free >= need, found, "a lab", f"raise it ({how}), or end other programs", needed=True)]


def check_open_files(probe: Probe, needs: Needs) -> list[Finding]:
    """The limit of open files: etcd and API servers hold a connection for each watch."""
    limit = read_limits(probe).get("open files")
    if limit is None:
        return [Finding("open files", True, "limit not known", "a lab")]
    ok = limit.hard is None or limit.hard >= OPEN_FILES
    raised = f"; {RAISED}" if limit.soft != limit.hard else ""
    found = f"limit {limit}; a program takes up to {OPEN_FILES}{raised}"
    findings = [Finding("open files", ok, found, "a lab", "raise the hard limit: ulimit -Hn 65536", needed=not needs.in_engine)]
    used, _, most = [*(probe.read("/proc/sys/fs/file-nr") or "").split(), "", "", ""][:3]
    if used.isdigit() and most.isdigit() and int(most) - int(used) < 20_000:
        seen = f"{int(most) - int(used)} of {most} free on this computer"
        findings.append(Finding("open files of all", False, seen, "a lab", "sysctl fs.file-max=1000000", needed=True))
    return findings


def check_resource_limits(probe: Probe, needs: Needs) -> list[Finding]:
    """Resource limits that end a program in the midst of its work."""
    if needs.in_engine:
        return []
    limits = read_limits(probe)
    asked = [
        ("address space", ADDRESS_SPACE, "ulimit -v unlimited", True),
        ("data size", ADDRESS_SPACE // 2, "ulimit -d unlimited", True),
        ("file size", FILE_SIZE, "ulimit -f unlimited", True),
        ("cpu time", CPU_SECONDS, "ulimit -t unlimited", True),
        ("locked memory", 64 * 1024, "ulimit -l unlimited", False),
    ]
    return [
        Finding(name, False, f"limit {limits[name]}; programs need {least}", "a lab", remedy, needed=needed)
        for name, least, remedy, needed in asked
        if name in limits and is_below(limits[name], least)
    ]


def is_below(limit: Limit, least: int) -> bool:
    return limit.soft is not None and limit.soft < least


def check_inotify(probe: Probe, needs: Needs) -> list[Finding]:
    """The limits of inotify, which programs report as "too many open files": Linux' default of 128 instances is enough for two labs."""
    names = ("max_user_instances", "max_user_watches")
    limits = {name: cgroup.parse_number(probe.read(f"/proc/sys/fs/inotify/{name}")) for name in names}
    inner = cgroup.parse_number(probe.read("/proc/sys/user/max_inotify_instances"))
    instances = min((limit for limit in (limits["max_user_instances"], inner) if limit is not None), default=None)
    watches = limits["max_user_watches"]
    if instances is None or watches is None:
        return [Finding("inotify", True, "limits not known", "a lab")]
    used = probe.inotify_in_use()
    found = f"{instances - used} of {instances} instances free; this lab takes about {needs.inotify}"
    remedy = "as root, sysctl fs.inotify.max_user_instances=1024, or take other labs down"
    findings = [Finding("inotify", instances - used >= needs.inotify, found, "a lab", remedy, needed=True)]
    if watches < WATCHES:
        seen = f"at most {watches}; a lab needs up to {WATCHES}"
        findings.append(Finding("inotify watches", False, seen, "a lab", "as root, sysctl fs.inotify.max_user_watches=524288", needed=True))
    wanted = {"max_user_instances": (instances, 1024), "max_user_watches": (watches, 524_288)}
    low = [f"sysctl fs.inotify.{name}={enough}" for name, (limit, enough) in wanted.items() if limit < enough]
    seen = f"limits: {instances} instances, {watches} watches"
    return [*findings, Finding("inotify limits", not low, seen, "several labs side by side; kind clusters", "; ".join(low))]


def check_ports(probe: Probe, needs: Needs) -> list[Finding]:
    """Ports beside the kernel's ephemeral range that no lab has reserved and nothing listens on."""
    fields = (probe.read("/proc/sys/net/ipv4/ip_local_port_range") or "").split()
    low, high = (
        (int(fields[0]), int(fields[1])) if len(fields) == 2 and all(field.isdigit() for field in fields) else ports.read_ephemeral_range()
    )
    span = ports.list_candidates((low, high))
    taken = {port for port, _ in ports.reserved_ports(needs.cache / "ports")} | find_listening_ports(probe)
    free = len(span) - len(taken & set(span))
    found = f"{free} of {len(span)} free outside the ephemeral range {low} to {high}; this lab takes {needs.ports}"
    remedy = "narrow net.ipv4.ip_local_port_range, or take other labs down"
    return [Finding("ports", free >= needs.ports, found, "a lab", remedy, needed=True)]


def find_listening_ports(probe: Probe) -> set[int]:
    """Return the TCP ports that something listens on."""
    rows = "".join(probe.read(f"/proc/net/{table}") or "" for table in ("tcp", "tcp6"))
    return {int(port, 16) for port in re.findall(r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F:]+ 0A ", rows, re.MULTILINE)}


def check_loopback(probe: Probe, needs: Needs) -> list[Finding]:
    """A new network namespace has its loopback interface down."""
    why = probe.loopback()
    return [Finding("loopback", not why, f"127.0.0.1: {why}" if why else "127.0.0.1 answers", "a lab", "ip link set lo up", needed=True)]


def check_clock(probe: Probe, needs: Needs) -> list[Finding]:
    """Certificates are made by this clock, and downloads are checked by it."""
    ok = probe.time() > BUILT
    found = "plausible" if ok else f"{probe.time():.0f} s since 1970: certificates of today are not valid yet"
    return [Finding("clock", ok, found, "certificates", "set the clock", needed=True)]


def check_account(probe: Probe, needs: Needs) -> list[Finding]:
    """The home directory: Go and the clients write there; a lab itself does not."""
    home, name = probe.home(), account.user_name()
    who = name or "a user without an entry in passwd"
    if home is None:
        return [Finding("home", False, f"{who}, and HOME is not set", "Go's caches", "set HOME to a directory that can be written")]
    lacks = probe.directory(home).lacks.get("write")
    found = f"{home} of {who}" + (f" cannot be written ({lacks})" if lacks else "")
    return [Finding("home", not lacks, found, "Go's caches", "set HOME (or GOCACHE and GOPATH) to a directory that can be written")]


def check_temporary(probe: Probe, needs: Needs) -> list[Finding]:
    """A directory for temporary files, which a container with a read-only root may lack."""
    place = probe.temporary()
    remedy = "mount one (docker run --tmpfs /tmp), or set TMPDIR to a directory that can be written"
    found = str(place) if place else "neither TMPDIR nor /tmp, /var/tmp or this directory can be written"
    return [Finding("temporary files", place is not None, found, "a lab", remedy, needed=True)]


def check_directories(probe: Probe, needs: Needs) -> list[Finding]:
    """Try what the file systems of the cache and of the run directories can do, and measure their free space."""
    building = (needs.build_bytes or needs.download_bytes) if needs.missing else 0
    cache, runs = probe.directory(needs.cache), probe.directory(needs.runs)
    clear = f"`{command('assets', 'prune')}`, `go clean -cache` free some"
    findings = [
        judge_directory(
            "cache of programs", cache, ("name", "write", "owner", "execute", "locks", "case"), "set KARMADA_LAB_CACHE to another directory"
        ),
        judge_directory(
            "run directories",
            runs,
            ("name", "write", "modes", "sockets", "locks", "mapped files", "links", "clock"),
            "set KARMADA_LAB_RUNS to another directory",
        ),
        judge_space("disk for programs", cache, building, f"set KARMADA_LAB_CACHE (and GOCACHE, GOMODCACHE) to another disk; {clear}"),
        judge_space("disk for labs", runs, needs.disk, "free some there, or set KARMADA_LAB_RUNS to another disk"),
    ]
    return [*findings, *(judge_inodes(what, place) for what, place in (("cache", cache), ("runs", runs)) if place.inodes is not None)]


def judge_directory(what: str, place: Directory, wanted: tuple[str, ...], remedy: str) -> Finding:
    """Return the finding whether a directory supports all that is wanted."""
    lacks = [f"{name}: {place.lacks[name]}" for name in wanted if name in place.lacks]
    where = f"{place.path}" + (f" on {place.kind}" if place.kind else "")
    found = f"{where}: {'; '.join(lacks)}" if lacks else where
    return Finding(what, not lacks, found, "a lab", remedy, needed=True)


def judge_space(what: str, place: Directory, need: int, remedy: str) -> Finding:
    """Return the finding whether a disk has `need` bytes free."""
    size = f"{need / GIB:.1f} GiB" if need >= GIB else f"{need // MIB} MiB"
    free = f"{place.free / GIB:.1f} GiB" if place.free >= GIB else f"{place.free // MIB} MiB"
    found = f"{free} free in {place.path}; up to {size} needed" if need else f"{free} free in {place.path}"
    return Finding(what, place.free >= need, found, "a lab", remedy, needed=need > 0)


def judge_inodes(what: str, place: Directory) -> Finding:
    """Return the finding whether a file system has inodes for a lab's files."""
    found = f"{place.inodes} free in {place.path}; a lab makes up to {INODES} files"
    return Finding(
        f"inodes ({what})", (place.inodes or 0) >= INODES, found, "a lab", "delete files there, or use another disk", needed=True
    )


CHECKS: tuple[Check, ...] = (
    check_kernel,
    check_memory,
    check_threads,
    check_open_files,
    check_resource_limits,
    check_inotify,
    check_ports,
    check_loopback,
    check_clock,
    check_account,
    check_temporary,
    check_directories,
)


def run_checks(probe: Probe, needs: Needs) -> Iterator[Finding]:
    """Yield the findings of all checks, in the order of CHECKS."""
    for check in CHECKS:
        yield from check(probe, needs)


def list_refusals(probe: Probe, needs: Needs) -> list[str]:
    """Return why a lab that takes this cannot be brought up here, one sentence each; empty when it can."""
    return [finding.refusal for finding in run_checks(probe, needs) if finding.needed and not finding.ok]
