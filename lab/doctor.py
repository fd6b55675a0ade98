"""What this computer can do, and what each missing thing would enable: `lab doctor`.

Each check is a pure function of a Probe (`lab.computer`) and of Needs, what the default lab takes. A Finding is needed or
not: a lab can be brought up when every needed one holds; the others each enable something more.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lab import docker
from lab.computer import Probe
from lab.docker import bounded

GIB = 2**30
NODES_DISK = 8 * GIB
CAPABILITIES = {12: "NET_ADMIN", 19: "SYS_PTRACE", 21: "SYS_ADMIN", 24: "SYS_RESOURCE"}
"""Bits of a capability set (capability.h) that containers, network faults and kind's nodes take."""


@dataclass(frozen=True)
class Needs:
    """What the default lab takes, in figures its provider gives. Urls: one file of each place that assets are downloaded from."""

    cluster: int = 430 * 2**20
    rest: int = 700 * 2**20
    clusters: int = 3
    ports: int = 45
    inotify: int = 60
    """Instances: a kube-apiserver and a kube-controller-manager take six or seven each, to see certificates change."""
    missing: tuple[str, ...] = ()
    """Assets that are not in the cache."""
    total: int = 0
    build_minutes: float = 0.0
    build_bytes: int = 0
    download_bytes: int = 2 * GIB
    urls: tuple[str, ...] = ()
    module: str = ""
    """One pinned Go module, as k8s.io/kubernetes@v1.35.4: whether the Go client can get modules is asked by it."""
    cache: Path = Path("/")
    runs: Path = Path("/")
    bundled: bool = False
    ports_free: int = 1000


@dataclass(frozen=True)
class Finding:
    """One thing this computer has or lacks. `found` is what was seen, `enables` what it is for, `remedy` what to do when it is missing."""

    name: str
    ok: bool
    found: str
    enables: str
    remedy: str = ""
    needed: bool = False


Check = Callable[[Probe, Needs], list[Finding]]


@dataclass(frozen=True)
class Report:
    """All findings. `can`: the default lab can be brought up here."""

    findings: tuple[Finding, ...]
    schema: int = field(default=1)

    @property
    def can(self) -> bool:
        return all(finding.ok for finding in self.findings if finding.needed)


def examine(probe: Probe, needs: Needs) -> Report:
    """Ask everything at once and return what was found, in the order of CHECKS."""
    with ThreadPoolExecutor(max_workers=len(CHECKS)) as pool:
        found = pool.map(lambda check: check(probe, needs), CHECKS)
        return Report(tuple(finding for findings in found for finding in findings))


# -- what a lab of processes takes ----------------------------------------------------------------------------------------------


def python(probe: Probe, needs: Needs) -> list[Finding]:
    """Python itself: it runs this, so it is there; whether it can make virtual environments is asked too."""
    version = ".".join(map(str, sys.version_info[:3]))
    new = sys.version_info >= (3, 11)
    return [Finding("python", new, version, "everything", "install Python 3.11 or later", needed=True)]


def kernel(probe: Probe, needs: Needs) -> list[Finding]:
    """A kernel with pidfds (5.3): processes are named by them, so that none but the lab's own is ever ended."""
    release = (probe.read("/proc/sys/kernel/osrelease") or "").strip()
    found = re.match(r"(\d+)\.(\d+)", release)
    ok = found is not None and (int(found[1]), int(found[2])) >= (5, 3)
    return [
        Finding("kernel", ok, f"Linux {release}" if release else "not Linux", "labs of processes", "use Linux 5.3 or later", needed=True)
    ]


def programs(probe: Probe, needs: Needs) -> list[Finding]:
    """The programs of the default lab: cached, or a source that can bring them; each source is a finding of its own."""
    go, modules = go_client(probe, needs)
    downloads = [download(probe, url) for url in needs.urls]
    ways = [name for name, ok in (("download", bool(downloads) and all(d.ok for d in downloads)), ("build", modules.ok)) if ok]
    have = needs.total - len(needs.missing)
    found = f"{have} of {needs.total} cached"
    if needs.missing and ways:
        cost = "" if ways[0] == "download" else f" (about {needs.build_minutes:.0f} min, {needs.build_bytes / GIB:.0f} GiB of Go's caches)"
        found += f"; the rest by {ways[0]}{cost}"
    elif needs.missing:
        found += "; no source for the rest"
    remedy = "install Go with a module proxy it reaches, or open the network to the release files, or: lab up --offline --bundle FILE"
    return [Finding("programs", not needs.missing or bool(ways), found, "any lab", remedy, needed=True), go, modules, *downloads]


def go_client(probe: Probe, needs: Needs) -> tuple[Finding, Finding]:
    """The Go client, and whether it gets modules."""
    enables = "programs built from source; Karmada from a checkout (--release ./karmada)"
    if probe.which("go") is None:
        absent = Finding("go", False, "not installed", enables, "install Go 1.24 or later: https://go.dev/doc/install")
        return absent, Finding("go modules", False, "no Go client", enables, "install Go first")
    said = probe.ask(["go", "version"])
    version = re.search(r"go(\d+)\.(\d+)\S*", said.text)
    new = version is not None and (int(version[1]), int(version[2])) >= (1, 24)
    client = Finding("go", new, version[0] if version else said.line, enables, "install Go 1.24 or later: https://go.dev/doc/install")
    if not needs.module:
        return client, Finding("go modules", new, "not asked", enables)
    answer = probe.ask(["go", "list", "-m", needs.module], within=15.0)
    found = "reached" if answer.ok else f"not reached: {answer.line}"
    remedy = "set GOPROXY to a module proxy that this computer reaches: go env -w GOPROXY=…"
    return client, Finding("go modules", answer.ok, found, enables, remedy)


def download(probe: Probe, url: str) -> Finding:
    """Release files of one place."""
    why = probe.reach(url)
    host = urlsplit(url).hostname or url
    remedy = f"open https to {host}, or name a mirror of the release files: --mirror URL"
    return Finding(f"downloads: {host}", not why, "reached" if not why else f"not reached: {why}", "programs as published", remedy)


def memory(probe: Probe, needs: Needs) -> list[Finding]:
    """Free memory against what the default lab takes, and how many members fit."""
    table = dict(re.findall(r"^(\w+):\s+(\d+) kB", probe.read("/proc/meminfo") or "", re.MULTILINE))
    free = int(table.get("MemAvailable", 0)) * 1024
    lab = needs.rest + needs.clusters * needs.cluster
    fits = max(0, (free - needs.rest) // needs.cluster - 1)
    found = f"{free / GIB:.1f} GiB free; the default lab takes {lab / GIB:.1f}; {fits} members fit"
    return [Finding("memory", free >= lab, found, "a lab", "free some memory, or take fewer members: --members 1", needed=True)]


def disk(probe: Probe, needs: Needs) -> list[Finding]:
    """Free disk for the cache of programs and for run directories."""
    needed = (needs.build_bytes or needs.download_bytes) if needs.missing else 0
    cache, runs = probe.free(needs.cache), probe.free(needs.runs)
    remedy = (
        "free some, or set KARMADA_LAB_CACHE (and GOCACHE, GOMODCACHE) to another disk; `lab assets prune`, `go clean -cache` free some"
    )
    found = f"{cache / GIB:.0f} GiB free; bringing the programs takes up to {needed / GIB:.0f}" if needed else f"{cache / GIB:.0f} GiB free"
    return [
        Finding("disk for programs", cache >= needed, found, "programs", remedy, needed=needed > 0),
        Finding(
            "disk for labs",
            runs >= GIB,
            f"{runs / GIB:.0f} GiB free; a lab takes up to 1",
            "a lab",
            "set KARMADA_LAB_RUNS to another disk",
            needed=True,
        ),
    ]


def ports(probe: Probe, needs: Needs) -> list[Finding]:
    """Ports below or above the kernel's ephemeral range."""
    ok = needs.ports_free >= needs.ports
    span = (probe.read("/proc/sys/net/ipv4/ip_local_port_range") or "").split()
    found = f"{needs.ports_free} outside the ephemeral range" + (f" {span[0]} to {span[1]}" if len(span) == 2 else "")
    return [Finding("ports", ok, found, "a lab", "narrow net.ipv4.ip_local_port_range, or take other labs down", needed=True)]


def open_files(probe: Probe, needs: Needs) -> list[Finding]:
    """The limit of open files: etcd and API servers hold a connection for each watch."""
    row = re.search(r"^Max open files\s+(\S+)\s+(\S+)", probe.read("/proc/self/limits") or "", re.MULTILINE)
    hard = sys.maxsize if row and row[2] == "unlimited" else int(row[2]) if row else 0
    return [
        Finding("open files", hard >= 4096, f"limit {row[2] if row else 'unknown'}", "a lab", "raise it: ulimit -Hn 65536", needed=True)
    ]


def git(probe: Probe, needs: Needs) -> list[Finding]:
    """git tells what a checkout is."""
    there = probe.which("git")
    return [
        Finding("git", there is not None, there or "not installed", "Karmada from a checkout (--release ./karmada)", "apt-get install git")
    ]


# -- what other providers and faults take ---------------------------------------------------------------------------------------


def engine(probe: Probe, needs: Needs) -> list[Finding]:
    """An engine that answers, and what it must be able to do for kind's nodes. A client without one is not an engine."""
    enables = "clusters by kind: real pods"
    if why := docker.obstacle(probe):
        said, _, remedy = why.removeprefix("docker: ").partition(": ")
        return [Finding("docker engine", False, said, enables, remedy)]
    told = probe.ask(["docker", "info", "--format", "{{.ServerVersion}}\t{{.DefaultRuntime}}\t{{.DockerRootDir}}"]).line
    version, runtime, root = [*told.split("\t"), "", "", ""][:3]
    free = probe.free(Path(root or "/"))
    found = [
        Finding("docker engine", True, version, enables),
        Finding(
            "disk for nodes",
            free >= NODES_DISK,
            f"{free / GIB:.0f} GiB free in {root}; a node image takes 1 and each node 2",
            enables,
            "docker system prune, or another data-root in /etc/docker/daemon.json",
        ),
    ]
    if bounded(probe.read("/proc/self/status") or ""):
        ok = runtime == docker.RUNTIME
        seen = f"CAP_SYS_RESOURCE is out of bounds here; the engine's runtime is {runtime}"
        found.append(Finding("privileged containers", ok, seen, enables, "make setup-docker   (a runtime that asks for all but that)"))
    return found


def node_images(probe: Probe, needs: Needs) -> list[Finding]:
    """What kind's node images are made with here."""
    there = probe.which("mmdebstrap")
    enables = "node images, and images with a shell, made here"
    return [Finding("mmdebstrap", there is not None, there or "not installed", enables, "make setup-docker   (Debian)")]


def kind(probe: Probe, needs: Needs) -> list[Finding]:
    """kind is an asset; one in PATH is not used, for its version is pinned."""
    found = "comes as an asset, pinned" + (f"; the one at {there} is not used" if (there := probe.which("kind")) else "")
    return [Finding("kind", True, found, "clusters by kind")]


def kvm(probe: Probe, needs: Needs) -> list[Finding]:
    """Hardware virtualisation that this user may use."""
    if probe.opens("/dev/kvm"):
        return [Finding("kvm", True, "/dev/kvm", "virtual machines at full speed")]
    flags = probe.read("/proc/cpuinfo") or ""
    able = re.search(r"\b(vmx|svm)\b", flags) is not None
    remedy = (
        "load the module kvm_intel or kvm_amd, and be in the group kvm"
        if able
        else "use a computer whose CPU has vmx or svm, or turn nested virtualisation on; without it qemu emulates, some 20 times slower"
    )
    return [
        Finding(
            "kvm",
            False,
            "no /dev/kvm that can be used" if able else "the CPU shows neither vmx nor svm",
            "virtual machines at full speed",
            remedy,
        )
    ]


def qemu(probe: Probe, needs: Needs) -> list[Finding]:
    """qemu and a libvirt that answers."""
    emulator = next((path for name in ("qemu-system-x86_64", "qemu-system-aarch64") if (path := probe.which(name))), None)
    enables = "clusters in virtual machines"
    found = [Finding("qemu", emulator is not None, emulator or "not installed", enables, "apt-get install qemu-system-x86 qemu-utils")]
    if probe.which("virsh") is None:
        return [*found, Finding("libvirt", False, "not installed", enables, "apt-get install libvirt-daemon-system libvirt-clients")]
    answer = probe.ask(["virsh", "--connect", "qemu:///system", "version", "--daemon"])
    said = answer.line if answer.ok else f"a client, but no daemon answers: {answer.line}"
    return [*found, Finding("libvirt", answer.ok, said, enables, "start it: systemctl start libvirtd, or libvirtd --daemon")]


def cgroups(probe: Probe, needs: Needs) -> list[Finding]:
    """The version of control groups: kubelets from 1.35 on want the second."""
    second = probe.read("/sys/fs/cgroup/cgroup.controllers") is not None
    remedy = "boot with systemd.unified_cgroup_hierarchy=1; kind's nodes run here too, with failCgroupV1: false, which the lab sets"
    return [Finding("cgroup v2", second, "version 2" if second else "version 1", "kubelets without exceptions", remedy)]


def capabilities(probe: Probe, needs: Needs) -> list[Finding]:
    """What root may do here at most."""
    row = re.search(r"^CapBnd:\s+([0-9a-f]+)", probe.read("/proc/self/status") or "", re.MULTILINE)
    bits = int(row[1], 16) if row else 0
    lacking = [name for bit, name in CAPABILITIES.items() if not bits >> bit & 1]
    remedy = "start this container with them (docker run --cap-add …); without SYS_RESOURCE only runtimes that do not ask for it work"
    found = f"without {', '.join(lacking)}" if lacking else ", ".join(CAPABILITIES.values())
    return [Finding("capabilities", not lacking, found, "privileged containers, network faults", remedy)]


def inotify(probe: Probe, needs: Needs) -> list[Finding]:
    """Limits whose end a program calls "too many open files": Linux' own 128 instances hold two labs and little else."""
    limits = {name: int((probe.read(f"/proc/sys/fs/inotify/{name}") or "0").strip()) for name in ("max_user_instances", "max_user_watches")}
    left = limits["max_user_instances"] - probe.inotify_in_use()
    found = f"{left} of {limits['max_user_instances']} instances free; a lab takes about {needs.inotify}"
    one = Finding(
        "inotify", left >= needs.inotify, found, "a lab", "sysctl fs.inotify.max_user_instances=1024, or take other labs down", needed=True
    )
    wanted = {"max_user_instances": 1024, "max_user_watches": 524_288}
    low = [f"sysctl fs.inotify.{name}={wanted[name]}" for name in wanted if limits[name] < wanted[name]]
    found = f"limits: {limits['max_user_instances']} instances, {limits['max_user_watches']} watches"
    return [one, Finding("inotify limits", not low, found, "several labs side by side; kind clusters", "; ".join(low))]


def balancer(probe: Probe, needs: Needs) -> list[Finding]:
    """haproxy, from the distribution: it is no asset."""
    there = next((path for name in ("haproxy", "/usr/sbin/haproxy") if (path := probe.which(name))), None)
    enables = "several karmada-apiservers behind one name (external_name)"
    return [Finding("haproxy", there is not None, there or "not installed", enables, "apt-get install haproxy")]


def namespaces(probe: Probe, needs: Needs) -> list[Finding]:
    """Network namespaces, by root and by anybody: members with addresses of their own, network faults."""
    network = probe.ask(["unshare", "--net", "true"])
    user = probe.ask(["unshare", "--user", "--map-root-user", "--net", "true"])
    enables = "members with addresses of their own; cutting the network between them"
    why = "" if network.ok else f"refused: {network.line}"
    return [
        Finding("network namespaces", network.ok, "can be made" if network.ok else why, enables, "be root, with CAP_SYS_ADMIN"),
        Finding(
            "user namespaces",
            user.ok,
            "can be made" if user.ok else f"refused: {user.line}",
            "network namespaces without being root",
            "sysctl kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)",
        ),
    ]


def forwarding(probe: Probe, needs: Needs) -> list[Finding]:
    """Packets from one namespace or VM to another."""
    on = (probe.read("/proc/sys/net/ipv4/ip_forward") or "").strip() == "1"
    enables = "traffic between namespaces, containers and virtual machines"
    return [Finding("ip forwarding", on, "on" if on else "off", enables, "sysctl net.ipv4.ip_forward=1")]


CHECKS: tuple[Check, ...] = (
    python,
    kernel,
    memory,
    disk,
    ports,
    open_files,
    programs,
    git,
    engine,
    kind,
    node_images,
    kvm,
    qemu,
    cgroups,
    capabilities,
    inotify,
    balancer,
    namespaces,
    forwarding,
)


def providers(report: Report) -> Mapping[str, str]:
    """Return for each way to have clusters "" when this computer has what it takes, or what it lacks."""
    lacking = {finding.name: not finding.ok for finding in report.findings}
    asked_of_engine = [name for name in ("privileged containers", "disk for nodes") if name in lacking]  # only where one answers
    required: dict[str, list[str]] = {
        "embedded": [finding.name for finding in report.findings if finding.needed],
        "kind": ["docker engine", "mmdebstrap", *asked_of_engine],
        "libvirt": ["qemu", "libvirt"],
    }
    return {name: ", ".join(each for each in needs if lacking.get(each, True)) for name, needs in required.items()}
