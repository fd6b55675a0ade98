"""A computer that answers from tables; by default one that can do everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.computer import Answer
from lab.limits.directory import Directory
from lab.limits.finding import GIB

GATEWAY = "172.17.0.1"
INFO: dict[str, Any] = {
    "ServerVersion": "27.1",
    "Name": "here",
    "OperatingSystem": "Debian GNU/Linux 12",
    "KernelVersion": "6.1.0",
    "DockerRootDir": "/var/lib/docker",
    "DefaultRuntime": "runc",
    "CgroupDriver": "systemd",
    "CgroupVersion": "2",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
}


def info(**changes: Any) -> Answer:
    """What `docker info` answers."""
    return Answer(0, json.dumps({**INFO, **changes}))


def meminfo(free: int) -> str:
    return f"MemTotal: 32000000 kB\nMemAvailable: {free // 1024} kB\nSwapFree: 0 kB\n"


@dataclass
class Scripted:
    files: dict[str, str] = field(
        default_factory=lambda: {
            "/proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
            "/proc/meminfo": meminfo(16 * GIB),
            "/proc/loadavg": "0.1 0.1 0.1 2/300 4711\n",
            "/proc/sys/kernel/pid_max": "4194304\n",
            "/proc/sys/kernel/threads-max": "200000\n",
            "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
            "/proc/self/limits": "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  524288  files\n",
            "/proc/self/status": "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\nCpus_allowed_list:\t0-3\n",
            "/proc/self/uid_map": "         0          0 4294967295\n",
            "/proc/cpuinfo": "flags : fpu vmx sse\n",
            "/proc/sys/fs/inotify/max_user_instances": "1024\n",
            "/proc/sys/fs/inotify/max_user_watches": "1048576\n",
            "/proc/sys/fs/file-nr": "1000\t0\t9223372036854775807\n",
            "/proc/sys/net/ipv4/ip_forward": "1\n",
            "/sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
        }
    )
    programs: set[str] = field(
        default_factory=lambda: {"go", "git", "docker", "mmdebstrap", "haproxy", "qemu-system-x86_64", "virsh", "sshd", "ip"}
    )
    answers: dict[str, Answer] = field(
        default_factory=lambda: {
            "go version": Answer(0, "go version go1.26.8 linux/amd64"),
            "go env": Answer(0, "/home/me/go\n"),
            "go list": Answer(0, "k8s.io/kubernetes v1.35.4"),
            "docker info": info(),
            "docker context": Answer(0, "default unix:///var/run/docker.sock\n"),
            "docker network": Answer(0, f"{GATEWAY} \n"),
            "virsh --connect": Answer(0, "libvirt 9.0"),
            "unshare --net": Answer(0),
            "unshare --user": Answer(0),
            "qemu-system-x86_64 -accel": Answer(0, "[    0.000000] Linux version 6.1.0-18-amd64\nKernel panic - not syncing\n"),
        }
    )
    devices: set[str] = field(default_factory=lambda: {"/dev/kvm", "/dev/null"})
    there: set[str] = field(
        default_factory=lambda: {"/dev/kvm", "/sys/module/kvm_intel", "/var/lib/docker", "/boot/vmlinuz-6.1.0-18-amd64"}
    )
    addresses: set[str] = field(default_factory=lambda: {"127.0.0.1", GATEWAY})
    clients: str = "/usr/bin"
    unreachable: str = ""
    space: int = 100 * GIB
    inodes: int | None = 1_000_000
    lacks: dict[str, str] = field(default_factory=dict)
    homes: Path | None = Path("/home/me")
    tmp: Path | None = Path("/tmp")
    watchers: int = 10
    threads: int = 50
    lo: str = ""
    no_pidfd: str = ""
    now: float = 1.8e9

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def opens(self, path: str) -> bool:
        return path in self.devices

    def which(self, program: str) -> str | None:
        return f"{self.clients}/{program}" if program in self.programs else None

    def ask(self, argv: Sequence[str], *, within: float = 5.0) -> Answer:
        return self.answers[" ".join(argv[:2])]

    def reach(self, url: str, *, within: float = 4.0) -> str:
        return self.unreachable

    def free(self, path: Path) -> int:
        return self.space

    def is_there(self, path: str) -> bool:
        return path in self.there

    def can_read(self, path: str) -> bool:
        return path in self.there

    def directory(self, path: Path) -> Directory:
        return Directory(path, path, self.lacks, self.space, self.inodes, "ext4")

    def home(self) -> Path | None:
        return self.homes

    def temporary(self) -> Path | None:
        return self.tmp

    def inotify_in_use(self) -> int:
        return self.watchers

    def threads_in_use(self) -> int:
        return self.threads

    def has_address(self, address: str) -> bool:
        return address in self.addresses

    def pidfd(self) -> str:
        return self.no_pidfd

    def loopback(self) -> str:
        return self.lo

    def time(self) -> float:
        return self.now
