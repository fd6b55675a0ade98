"""Findings of a computer, each with its remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.doctor import checks
from lab.doctor import examine as doctor
from lab.doctor.checks import CHECKS, find_listening_ports, list_refusals, run_checks
from lab.limits.finding import GIB, MIB, Finding, Needs, Share
from lab.tests.computer_fakes import Scripted, meminfo

NEEDS = Needs(cache=Path("/cache"), runs=Path("/runs"))
LIMITS = "Limit                     Soft Limit           Hard Limit           Units     \n"
USER = "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0-1\n"
ROOT = "Uid:\t0\t0\t0\t0\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0-1\n"
INIT_MAP, INNER_MAP = "0 0 4294967295", "0 100000 65536"


def limits(**rows: tuple[object, object]) -> str:
    return LIMITS + "".join(f"Max {name.replace('_', ' '):<22}{soft!s:<21}{hard!s:<21}x\n" for name, (soft, hard) in rows.items())


def named(probe: Scripted, name: str, needs: Needs = NEEDS) -> Finding:
    return next(finding for finding in run_checks(probe, needs) if finding.name == name)


def test_a_computer_that_can_do_everything_refuses_nothing() -> None:
    assert list_refusals(Scripted(), NEEDS) == []
    assert list_refusals(Scripted(), replace(NEEDS, in_engine=True)) == []


def test_limits_that_cannot_be_read_refuse_nothing() -> None:
    """What is not known is no reason to refuse: a sandbox may hide most of /proc."""
    assert list_refusals(Scripted(files={"/proc/sys/kernel/osrelease": "6.1.0"}), NEEDS) == []


@pytest.mark.parametrize("release", ["", "5.2.0", "4.19.0-25-amd64", "macOS"])
def test_an_old_kernel_and_none(release: str) -> None:
    computer = Scripted()
    computer.files["/proc/sys/kernel/osrelease"] = release

    assert not named(computer, "kernel").ok


@pytest.mark.parametrize("probe", [Scripted(no_pidfd="Operation not permitted"), Scripted(devices=set())])
def test_what_sandboxes_take_away(probe: Scripted) -> None:
    assert len(list_refusals(probe, NEEDS)) == 1


def test_no_directory_for_temporary_files() -> None:
    assert len(list_refusals(Scripted(tmp=None), NEEDS)) == 1


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_a_finding_with_a_remedy_where_it_fails(check: checks.Check) -> None:
    poor = Scripted(space=0, inodes=0, lacks={"write": "read-only"}, homes=None, watchers=5000, threads=10**7, lo="down", now=0)
    poor.tmp = None
    poor.files |= {
        "/proc/sys/kernel/osrelease": "",
        "/proc/meminfo": meminfo(MIB),
        "/proc/loadavg": "0 0 0 1/4194304 1",
        "/proc/sys/fs/file-nr": "9\t0\t10",
    }
    poor.files["/proc/sys/net/ipv4/ip_local_port_range"] = "10240\t65535"
    poor.files["/proc/self/limits"] = limits(open_files=(10, 20), address_space=(1, 1), cpu_time=(1, 1), locked_memory=(0, 0))
    poor.files["/proc/net/tcp"] = "".join(
        f"{n}: 0100007F:{port:04X} 00000000:0000 0A 0:0\n" for n, port in enumerate(range(10_240, 65_536))
    )
    failing = [finding for finding in check(poor, NEEDS) if not finding.ok]

    assert failing
    assert all(finding.remedy and finding.found and finding.enables for finding in failing)


def test_the_memory_of_a_cgroup_is_refused_with_the_arithmetic() -> None:
    computer = Scripted()
    computer.files |= {
        "/proc/self/cgroup": "0::/box",
        "/proc/self/mountinfo": "30 1 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
        "/sys/fs/cgroup/box/cgroup.procs": "1",
        "/sys/fs/cgroup/box/memory.max": str(GIB),
        "/sys/fs/cgroup/box/memory.current": str(400 * MIB),
    }
    (said,) = list_refusals(computer, NEEDS)

    assert "needs 1.9 GiB in 22 programs" in said
    assert "3 clusters × 430 MiB" in said
    assert "1.0 GiB, 0.4 GiB used → 0.6 GiB free" in said


@pytest.mark.parametrize(("free", "members"), [(700 + 430, 0), (700 + 2 * 430, 1), (700 + 3 * 430, 2), (0, 0)])
def test_members_that_fit(free: int, members: int) -> None:
    assert NEEDS.members_that_fit(free * MIB) == members


def test_shares_add_up() -> None:
    needs = Needs(memory=(Share("clusters", 2, 100, 5), Share("nodes", 10, 3), Share("the rest", 1, 50, 4)))

    assert (needs.memory_bytes, needs.programs, needs.clusters) == (280, 14, 2)


@pytest.mark.parametrize(
    ("status", "uid_map", "limit", "ok"),
    [
        (USER, INIT_MAP, 300, False),
        (USER, INIT_MAP, 5000, True),
        (USER, INIT_MAP, "unlimited", True),
        (ROOT, INIT_MAP, 300, True),  # the kernel does not hold root to it
        (ROOT, INNER_MAP, 300, False),  # root of a rootless container it does
        (USER.replace("0000000000000000", "0000000001000000"), INIT_MAP, 300, True),  # CAP_SYS_RESOURCE
        (USER.replace("0000000000000000", "0000000000200000"), INIT_MAP, 300, True),  # CAP_SYS_ADMIN
    ],
)
def test_nproc_holds_for_users_and_for_inner_roots(status: str, uid_map: str, limit: object, ok: bool) -> None:
    computer = Scripted(threads=100)
    computer.files |= {"/proc/self/status": status, "/proc/self/uid_map": uid_map, "/proc/self/limits": limits(processes=(limit, limit))}

    assert named(computer, "threads").ok is ok


@pytest.mark.parametrize("name", ["kernel/pid_max", "kernel/threads-max"])
def test_limits_of_the_kernel_count_the_threads_of_all(name: str) -> None:
    computer = Scripted()
    computer.files |= {f"/proc/sys/{name}": "1000", "/proc/loadavg": "0 0 0 1/900 7"}

    assert not named(computer, "threads").ok


def test_pids_max_of_an_ancestor() -> None:
    computer = Scripted()
    computer.files |= {
        "/proc/self/cgroup": "8:pids:/pod/ctr\n0::/",
        "/proc/self/mountinfo": "30 1 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids",
        "/sys/fs/cgroup/pids/pod/ctr/cgroup.procs": "1",
        "/sys/fs/cgroup/pids/pod/ctr/pids.max": "max",
        "/sys/fs/cgroup/pids/pod/pids.max": "200",
        "/sys/fs/cgroup/pids/pod/pids.current": "60",
    }
    finding = named(computer, "threads")

    assert not finding.ok
    assert "140 free" in finding.found


@pytest.mark.parametrize(
    ("soft", "hard", "ok"), [(256, 256, False), (256, 4096, True), (1024, "unlimited", True), (1023, 1023, False), (1024, 1024, True)]
)
def test_the_hard_limit_of_open_files_counts(soft: object, hard: object, ok: bool) -> None:
    computer = Scripted()
    computer.files["/proc/self/limits"] = limits(open_files=(soft, hard))

    assert named(computer, "open files").ok is ok
    assert list_refusals(computer, replace(NEEDS, in_engine=True)) == []


@pytest.mark.parametrize(
    ("row", "name", "refused"),
    [
        ("address_space", "address space", True),
        ("data_size", "data size", True),
        ("file_size", "file size", True),
        ("cpu_time", "cpu time", True),
        ("locked_memory", "locked memory", False),
    ],
)
def test_limits_that_end_a_program_later(row: str, name: str, refused: bool) -> None:
    computer = Scripted()
    computer.files["/proc/self/limits"] = limits(**{row: (100, "unlimited")})

    assert not named(computer, name).ok
    assert bool(list_refusals(computer, NEEDS)) is refused
    computer.files["/proc/self/limits"] = limits(**{row: ("unlimited", "unlimited")})
    assert list_refusals(computer, NEEDS) == []


def test_instances_of_a_user_namespace_limit_as_well() -> None:
    computer = Scripted(watchers=0)
    computer.files["/proc/sys/user/max_inotify_instances"] = "20"

    assert not named(computer, "inotify").ok


def test_too_few_watches() -> None:
    computer = Scripted()
    computer.files["/proc/sys/fs/inotify/max_user_watches"] = "100"

    assert "max_user_watches" in named(computer, "inotify watches").remedy


def test_ports_that_something_listens_on_are_not_free() -> None:
    computer = Scripted()
    computer.files["/proc/net/tcp"] = (
        "  sl  local_address rem_address   st\n"
        "   0: 0100007F:2800 00000000:0000 0A 00000000:00000000\n"
        "   1: 0100007F:2801 0100007F:9999 01 00000000:00000000\n"
    )
    computer.files["/proc/net/tcp6"] = "   0: 00000000000000000000000000000000:2802 00000000000000000000000000000000:0000 0A 0:0\n"

    assert find_listening_ports(computer) == {10_240, 10_242}
    assert named(computer, "ports").found.startswith("19758 of 19760")


def test_an_ephemeral_range_of_everything_leaves_what_it_leaves() -> None:
    computer = Scripted()
    computer.files["/proc/sys/net/ipv4/ip_local_port_range"] = "1024\t65535"
    assert named(computer, "ports").ok
    assert not named(computer, "ports", replace(NEEDS, ports=100_000)).ok


@pytest.mark.parametrize("probe", [Scripted(lo="Network is unreachable"), Scripted(now=86_400.0)])
def test_no_loopback_and_no_clock(probe: Scripted) -> None:
    assert len(list_refusals(probe, NEEDS)) == 1


def test_a_missing_home_is_reported_and_refuses_no_lab() -> None:
    probe = Scripted(homes=None)

    assert not named(probe, "home").ok
    assert list_refusals(probe, NEEDS) == []


@pytest.mark.parametrize("module", [doctor, checks])
def test_every_check_is_in_the_list(module: Any) -> None:
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    named = {name for name, value in own.items() if getattr(value, "__annotations__", {}).get("return") == "list[Finding]"}

    assert named == {check.__name__ for check in module.CHECKS if check.__module__ == module.__name__}
    assert set(CHECKS) <= set(doctor.CHECKS)
