"""Examine this computer for `lab doctor`: its capabilities, and what each missing one would enable.

Each check is a pure function of a Probe (`lab.computer`) and of Needs, what the default lab takes. A Finding is needed or
not: a lab can be brought up when every needed one holds; the others each enable something more.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lab.computer import Probe
from lab.docker.checks import check_engine
from lab.doctor import checks as limits
from lab.doctor.checks import Check
from lab.doctor.kvm import kvm_error
from lab.limits.finding import GIB, Finding, Needs

KVM_TRIAL = "apt-get install qemu-system-x86 and a kernel in /boot, then run this again"
CAPABILITIES = {12: "NET_ADMIN", 19: "SYS_PTRACE", 21: "SYS_ADMIN", 24: "SYS_RESOURCE"}
"""Bits of a capability set (capability.h) that containers, network faults and kind's nodes take."""


@dataclass(frozen=True)
class DoctorReport:
    """All findings. `can`: the default lab can be brought up here."""

    findings: tuple[Finding, ...]
    schema: int = field(default=1)

    @property
    def can(self) -> bool:
        return all(finding.ok for finding in self.findings if finding.needed)


def examine(probe: Probe, needs: Needs) -> DoctorReport:
    """Run all checks at once, or one after the other where no thread can start, and return their findings in the order of CHECKS."""
    try:
        with ThreadPoolExecutor(max_workers=len(CHECKS)) as pool:
            found = list(pool.map(lambda check: check(probe, needs), CHECKS))
    except RuntimeError:  # the limit of threads is reached, which the check of that limit reports
        found = [check(probe, needs) for check in CHECKS]
    return DoctorReport(tuple(finding for findings in found for finding in findings))


# -- what a lab of processes takes ----------------------------------------------------------------------------------------------


def check_python(probe: Probe, needs: Needs) -> list[Finding]:
    """Check the version of Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    new = sys.version_info >= (3, 11)
    return [Finding("python", new, version, "everything", "install Python 3.11 or later", needed=True)]


def check_programs(probe: Probe, needs: Needs) -> list[Finding]:
    """Check that the programs of the default lab are cached or that a source has them; each source is a finding of its own."""
    go, modules = check_go(probe, needs)
    downloads = [check_download(probe, url) for url in needs.urls]
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


def check_go(probe: Probe, needs: Needs) -> tuple[Finding, Finding]:
    """Check the Go client, and whether it can fetch modules."""
    enables = "programs built from source; Karmada from a checkout (--release ./karmada)"
    if probe.which("go") is None:
        absent = Finding("go", False, "not installed", enables, "install Go 1.24 or later: https://go.dev/doc/install")
        return absent, Finding("go modules", False, "no Go client", enables, "install Go first")
    answer = probe.ask(["go", "version"])
    version = re.search(r"go(\d+)\.(\d+)\S*", answer.text)
    new = version is not None and (int(version[1]), int(version[2])) >= (1, 24)
    client = Finding("go", new, version[0] if version else answer.line, enables, "install Go 1.24 or later: https://go.dev/doc/install")
    if not needs.module:
        return client, Finding("go modules", new, "not asked", enables)
    if why := go_cache_error(probe):
        return client, Finding("go modules", False, why, enables, "set HOME, or GOCACHE and GOMODCACHE, to directories that can be written")
    answer = probe.ask(["go", "list", "-m", needs.module], within=15.0)
    found = "reached" if answer.ok else f"not reached: {answer.line}"
    remedy = "set GOPROXY to a module proxy that this computer reaches: go env -w GOPROXY=…"
    return client, Finding("go modules", answer.ok, found, enables, remedy)


def go_cache_error(probe: Probe) -> str:
    """Return why Go cannot store its builds (no home directory, for example); "" when it can."""
    for name in ("GOCACHE", "GOMODCACHE"):
        place = probe.ask(["go", "env", name]).line
        if not place.startswith("/"):
            return f"Go has no {name}: HOME is not set"
        if lacks := probe.directory(Path(place)).lacks.get("write"):
            return f"{name} {place} cannot be written: {lacks}"
    return ""


def check_download(probe: Probe, url: str) -> Finding:
    """Check that release files can be downloaded from one host."""
    why = probe.reach(url)
    host = urlsplit(url).hostname or url
    remedy = f"open https to {host}, or name a mirror of the release files: --mirror URL"
    return Finding(f"downloads: {host}", not why, "reached" if not why else f"not reached: {why}", "programs as published", remedy)


def check_git(probe: Probe, needs: Needs) -> list[Finding]:
    """Check for git, which identifies a checkout."""
    there = probe.which("git")
    return [
        Finding("git", there is not None, there or "not installed", "Karmada from a checkout (--release ./karmada)", "apt-get install git")
    ]


# -- what other providers and faults take ---------------------------------------------------------------------------------------


def check_node_images(probe: Probe, needs: Needs) -> list[Finding]:
    """Check for mmdebstrap, which makes kind's node images."""
    there = probe.which("mmdebstrap")
    enables = "node images, and images with a shell, made here"
    return [Finding("mmdebstrap", there is not None, there or "not installed", enables, "make setup-docker   (Debian)")]


def check_kind(probe: Probe, needs: Needs) -> list[Finding]:
    """Report kind: it is a pinned asset; one on PATH is not used."""
    found = "comes as an asset, pinned" + (f"; the one at {there} is not used" if (there := probe.which("kind")) else "")
    return [Finding("kind", True, found, "clusters by kind")]


def check_kvm(probe: Probe, needs: Needs) -> list[Finding]:
    """Check hardware virtualisation by booting a guest: a device that opens proves nothing. Unknown counts as absent."""
    why = kvm_error(probe)
    enables = "virtual machines at full speed"
    remedy = (
        "load the module kvm_intel or kvm_amd and be in the group kvm, or use a computer with a CPU that has vmx or svm (turn nested "
        "virtualisation on); without it qemu emulates, some 20 times slower"
    )
    if why is None:
        return [Finding("kvm", False, "unknown: /dev/kvm opens, but neither qemu nor a kernel is here to boot a guest", enables, KVM_TRIAL)]
    return [Finding("kvm", not why, why or "a guest booted", enables, remedy)]


def check_qemu(probe: Probe, needs: Needs) -> list[Finding]:
    """Check for qemu and a libvirt daemon that answers."""
    emulator = next((path for name in ("qemu-system-x86_64", "qemu-system-aarch64") if (path := probe.which(name))), None)
    enables = "clusters in virtual machines"
    found = [Finding("qemu", emulator is not None, emulator or "not installed", enables, "apt-get install qemu-system-x86 qemu-utils")]
    if probe.which("virsh") is None:
        return [*found, Finding("libvirt", False, "not installed", enables, "apt-get install libvirt-daemon-system libvirt-clients")]
    answer = probe.ask(["virsh", "--connect", "qemu:///system", "version", "--daemon"])
    found_daemon = answer.line if answer.ok else f"a client, but no daemon answers: {answer.line}"
    return [*found, Finding("libvirt", answer.ok, found_daemon, enables, "start it: systemctl start libvirtd, or libvirtd --daemon")]


def check_cgroups(probe: Probe, needs: Needs) -> list[Finding]:
    """Check the version of control groups: kubelets from 1.35 on require version 2."""
    second = probe.read("/sys/fs/cgroup/cgroup.controllers") is not None
    remedy = "boot with systemd.unified_cgroup_hierarchy=1; kind's nodes run here too, with failCgroupV1: false, which the lab sets"
    return [Finding("cgroup v2", second, "version 2" if second else "version 1", "kubelets without exceptions", remedy)]


def check_capabilities(probe: Probe, needs: Needs) -> list[Finding]:
    """Check the capabilities in the bounding set."""
    row = re.search(r"^CapBnd:\s+([0-9a-f]+)", probe.read("/proc/self/status") or "", re.MULTILINE)
    bits = int(row[1], 16) if row else 0
    lacking = [name for bit, name in CAPABILITIES.items() if not bits >> bit & 1]
    remedy = "start this container with them (docker run --cap-add …); without SYS_RESOURCE only runtimes that do not ask for it work"
    found = f"without {', '.join(lacking)}" if lacking else ", ".join(CAPABILITIES.values())
    return [Finding("capabilities", not lacking, found, "privileged containers, network faults", remedy)]


def check_balancer(probe: Probe, needs: Needs) -> list[Finding]:
    """Check for haproxy, which comes from the distribution and is no asset."""
    there = next((path for name in ("haproxy", "/usr/sbin/haproxy") if (path := probe.which(name))), None)
    enables = "several karmada-apiservers behind one name (external_name)"
    return [Finding("haproxy", there is not None, there or "not installed", enables, "apt-get install haproxy")]


def check_namespaces(probe: Probe, needs: Needs) -> list[Finding]:
    """Check that network namespaces can be made, as root and without: for members with own addresses and network faults."""
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


def check_sshd(probe: Probe, needs: Needs) -> list[Finding]:
    """Check for what machines of namespaces take besides namespaces: sshd and ip."""
    lacking = [name for name in ("sshd", "ip") if probe.which(name) is None and not probe.is_there(f"/usr/sbin/{name}")]
    found = f"without {' and '.join(lacking)}" if lacking else "sshd and ip"
    enables = 'machines made of namespaces, each with its own ssh server (kind = "namespace"; as root)'
    return [Finding("ssh server", not lacking, found, enables, "apt-get install openssh-server iproute2")]


def check_forwarding(probe: Probe, needs: Needs) -> list[Finding]:
    """Check that packets are forwarded between namespaces and VMs."""
    on = (probe.read("/proc/sys/net/ipv4/ip_forward") or "").strip() == "1"
    enables = "traffic between namespaces, containers and virtual machines"
    return [Finding("ip forwarding", on, "on" if on else "off", enables, "sysctl net.ipv4.ip_forward=1")]


CHECKS: tuple[Check, ...] = (
    check_python,
    *limits.CHECKS,
    check_programs,
    check_git,
    check_engine,
    check_kind,
    check_node_images,
    check_kvm,
    check_qemu,
    check_cgroups,
    check_capabilities,
    check_balancer,
    check_namespaces,
    check_sshd,
    check_forwarding,
)


def list_provider_lacks(report: DoctorReport) -> Mapping[str, str]:
    """Return for each provider what this computer lacks for it, "" when nothing."""
    lacking = {finding.name: not finding.ok for finding in report.findings}
    of_engine = ("nodes reached", "disk for nodes", "privileged containers", "folders for nodes")
    asked_of_engine = [name for name in of_engine if name in lacking]  # only where one answers
    required: dict[str, list[str]] = {
        "embedded": [finding.name for finding in report.findings if finding.needed],
        "kind": ["docker engine", "mmdebstrap", *asked_of_engine],
    }
    return {name: ", ".join(each for each in needs if lacking.get(each, True)) for name, needs in required.items()}
