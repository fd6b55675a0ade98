"""What a machine is, asked with one command, and why it cannot become a node of a cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.assets.pins import detect_arch
from lab.errors import NotPossible
from lab.kubeadm import paths
from lab.machines.machine import Machine

TOOLS = ("ip", "iptables", "iptables-save", "iptables-restore", "ip6tables", "mount", "nsenter", "tar")
"""Programs that the kubelet, kubeadm and the network's plug-ins call. Debian: iproute2, iptables, mount, util-linux, tar."""
PORTS = (paths.API_PORT, 2379, 2380, 10250, 10257, 10259)
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
FREE_MIB, MEMORY_MIB = 2500, 900
"""What a node takes: images, containerd and etcd on disk; a control plane without load in memory."""
SKEW = 60.0
"""Seconds by which a machine's clock may differ: certificates are valid from the moment at which they are made."""
SYS_RESOURCE = 24
ASK = f"""
echo "user=$(id -u)"
echo "arch=$(uname -m)"
echo "clock=$(date +%s)"
echo "systemd=$(test -d /run/systemd/system && echo yes)"
echo "container=$(systemd-detect-virt --container 2>/dev/null | grep -v none)"
echo "bounds=$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)"
echo "memory=$(sed -n 's/^MemTotal:[[:space:]]*\\([0-9]*\\).*/\\1/p' /proc/meminfo)"
echo "writable=$(mkdir -p "$1" && touch "$1/.probe" && rm "$1/.probe" && echo yes; rmdir "$1" 2>/dev/null; rmdir "${{1%/*}}" 2>/dev/null)"
folder=$1; while [ ! -d "$folder" ]; do folder=${{folder%/*}}; folder=${{folder:-/}}; done
echo "free=$(df -Pk "$folder" | tail -n 1 | awk '{{print $4}}')"
echo "owner=$(cat {paths.OWNER} 2>/dev/null)"
echo "foreign=$(ls -d {paths.UNITS}/{paths.KUBELET} /usr/lib/systemd/system/{paths.KUBELET} /lib/systemd/system/{paths.KUBELET} /etc/kubernetes/*.conf /var/lib/kubelet/config.yaml 2>/dev/null | tr '\\n' ' ')"
for tool in {" ".join(TOOLS)}; do command -v $tool >/dev/null || echo "missing=$tool"; done
awk 'NR > 1 && $4 == "0A" {{split($2, a, ":"); print "port=" a[length(a)]}}' /proc/net/tcp /proc/net/tcp6 2>/dev/null | sort -u
exit 0
"""  # noqa: E501 (a script)


@dataclass(frozen=True)
class HostFacts:
    """A machine as a node sees it. `owner` names the run and cluster of the node; memory and disk are in MiB; `skew` in seconds."""

    user: int
    arch: str
    systemd: bool
    container: bool
    bounded: bool
    memory: int
    free: int
    writable: bool
    skew: float
    owner: Mapping[str, str]
    foreign: tuple[str, ...]
    missing: tuple[str, ...]
    ports: frozenset[int]


def ask_facts(machine: Machine, folder: str = paths.ROOT) -> HostFacts:
    """Return the facts of a machine, `free` and `writable` for a folder there, which need not exist; nothing on it is changed."""
    before = time.time()
    text = machine.run(["sh", "-s", "--", folder], input=ASK).stdout
    return parse_facts(text, now=(before + time.time()) / 2)


def parse_facts(text: str, *, now: float) -> HostFacts:
    """Return the facts that the script's output says. What it could not find out counts as absent."""
    pairs = [line.partition("=")[::2] for line in text.splitlines() if "=" in line]
    single = dict(pairs)

    def number(key: str, base: int = 10) -> int:
        try:
            return int(single.get(key, ""), base)
        except ValueError:
            return 0

    try:
        owner = json.loads(single.get("owner") or "{}")
    except ValueError:
        owner = {"run": "?", "cluster": "?"}
    return HostFacts(
        user=number("user"),
        arch=MACHINES.get(single.get("arch", ""), single.get("arch", "")),
        systemd=single.get("systemd") == "yes",
        container=bool(single.get("container")),
        bounded=not number("bounds", 16) >> SYS_RESOURCE & 1,
        memory=number("memory") // 1024,
        free=number("free") // 1024,
        writable=single.get("writable") == "yes",
        skew=number("clock") - now,
        owner=owner,
        foreign=tuple(single.get("foreign", "").split()),
        missing=tuple(value for key, value in pairs if key == "missing"),
        ports=frozenset(int(value, 16) for key, value in pairs if key == "port"),
    )


def list_refusals(facts: HostFacts, *, run: str, cluster: str, arch: str | None = None) -> list[str]:
    """Return why a machine cannot be a node of this cluster, as `<why>: <remedy>`. A node of it already is fine."""
    wanted, owner = arch or detect_arch(), facts.owner
    always = (
        (facts.user, "commands there are not run by root: log in as root, or set sudo"),
        (not facts.systemd, "it has no systemd, which kubeadm needs: take machines of kind container or vm, or provider embedded"),
        (facts.arch != wanted, f"its processor is {facts.arch}, the programs are for {wanted}: take a machine like this computer"),
        (facts.missing, f"it lacks {', '.join(facts.missing)}: apt-get install iproute2 iptables mount util-linux"),
        (not facts.writable, f"{paths.ROOT} cannot be written: is its disk full or mounted read-only?"),
        (abs(facts.skew) > SKEW, f"its clock is off by {facts.skew:+.0f} s, so certificates would not be valid there: set it"),
        (
            owner and (owner.get("run"), owner.get("cluster")) != (run, cluster),
            f"it is a node of cluster {owner.get('cluster')} of lab {owner.get('run')}: take that lab down first",
        ),
    )
    taken = sorted(facts.ports & set(PORTS))
    before = (
        (facts.foreign, f"Kubernetes is installed there already ({' '.join(facts.foreign)}): kubeadm reset, and remove its files"),
        (facts.memory < MEMORY_MIB, f"it has {facts.memory} MiB of memory, a node takes {MEMORY_MIB}: give it more"),
        (facts.free < FREE_MIB, f"it has {facts.free} MiB of free disk in /var/lib, a node takes {FREE_MIB}: free some"),
        (taken, f"port {', '.join(map(str, taken))} is taken there: end what listens on it (ss -ltnp)"),
    )
    return [why for found, why in (*always, *(() if owner else before)) if found]


def require_node(name: str, refusals: Sequence[str]) -> None:
    """Return when there is nothing in the way. NotPossible names the first thing; the others are its detail."""
    if refusals:
        why, _, remedy = refusals[0].partition(": ")
        raise NotPossible(f"making {name} a node failed: {why}", where=name, detail="\n".join(refusals[1:]) or None, remedy=remedy)
