"""The checks of an engine that kind's nodes need. Optional for `lab doctor`; a lab of kind is refused by any that fails."""

from __future__ import annotations

from pathlib import Path

from lab.computer import Probe
from lab.docker.info import EngineInfo, ask_engine, find_network_error, find_snap_error
from lab.limits.finding import GIB, Finding, Needs

RUNTIME = "karmada-lab"
"""What setup.sh calls the runtime that it registers where the bounding set lacks CAP_SYS_RESOURCE."""
NODES_DISK = 8 * GIB
ENABLES = "clusters by kind: real pods"


def lacks_sys_resource(status: str) -> bool:
    """Return whether the bounding set in this text of /proc/self/status lacks CAP_SYS_RESOURCE."""
    row = next((line for line in status.splitlines() if line.startswith("CapBnd:")), "CapBnd: ffffffffffffffff")
    return not int(row.split()[1], 16) >> 24 & 1


def check_engine(probe: Probe, needs: Needs) -> list[Finding]:
    """An engine that answers, is reached, and can do what kind's nodes take. A client without an engine is none."""
    engine = ask_engine(probe)
    if isinstance(engine, str):
        why, _, remedy = engine.partition(": ")
        return [Finding("docker engine", False, why, ENABLES, remedy)]
    kind = f", {engine.kind}" if engine.kind else ""
    context = f", context {engine.context}" if engine.context not in {"", "default"} else ""
    found = f"{engine.version}{kind}{context}; cgroup v{engine.cgroup_version}, driver {engine.cgroup_driver}"
    answers = Finding("docker engine", True, found, ENABLES)
    if why := find_network_error(probe, engine):
        cause, _, remedy = why.partition(": ")
        return [answers, Finding("nodes reached", False, cause, ENABLES, remedy)]
    return [answers, *check_disk(probe, engine), *check_runtime(probe, engine), *check_folders(probe, engine, needs)]


def check_disk(probe: Probe, engine: EngineInfo) -> list[Finding]:
    """Return whether the engine's disk has room for nodes."""
    free = probe.free(Path(engine.root or "/"))
    found = f"{free / GIB:.0f} GiB free in {engine.root}; a node image takes 1 and each node 2"
    remedy = "docker system prune, or another data-root in /etc/docker/daemon.json"
    return [Finding("disk for nodes", free >= NODES_DISK, found, ENABLES, remedy)]


def check_runtime(probe: Probe, engine: EngineInfo) -> list[Finding]:
    """Return whether privileged containers start: where CAP_SYS_RESOURCE is out of bounds, by a runtime that does not ask for it."""
    if not lacks_sys_resource(probe.read("/proc/self/status") or ""):
        return []
    found = f"CAP_SYS_RESOURCE is out of bounds here; the engine's runtime is {engine.runtime}"
    remedy = "make setup-docker   (a runtime that does not request it)"
    return [Finding("privileged containers", engine.runtime == RUNTIME, found, ENABLES, remedy)]


def check_folders(probe: Probe, engine: EngineInfo, needs: Needs) -> list[Finding]:
    """Return whether nodes can be given folders of this computer: a snap sees few of them, SELinux may keep containers from them."""
    findings = []
    if why := find_snap_error(probe, engine, {"the cache": needs.cache, "the run directories": needs.runs}):
        cause, _, remedy = why.rpartition(": ")
        findings.append(Finding("folders for nodes", False, cause, ENABLES, remedy))
    if (
        any(option.startswith("name=selinux") for option in engine.security)
        and (probe.read("/sys/fs/selinux/enforce") or "").strip() == "1"
    ):
        # Nodes are privileged, and Docker does not confine those: report it without refusing.
        findings.append(Finding("selinux", True, "enforcing; nodes are privileged containers, which it does not confine", ENABLES))
    return findings


def list_engine_errors(probe: Probe, needs: Needs) -> list[str]:
    """Return why nodes cannot be made here, one sentence each."""
    return [finding.refusal for finding in check_engine(probe, needs) if not finding.ok]
