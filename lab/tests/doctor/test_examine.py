"""What `lab doctor` finds on computers that lack something."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from lab.computer import Answer
from lab.doctor.examine import examine, list_provider_lacks
from lab.limits.finding import GIB, MIB, Finding, Needs
from lab.tests.computer_fakes import Scripted, info, meminfo
from lab.tests.doctor_fakes import NEEDS

MISSING = replace(NEEDS, missing=("kubectl@1.35.4",))


def named(probe: Scripted, name: str, needs: Needs = NEEDS) -> Finding:
    return next(finding for finding in examine(probe, needs).findings if finding.name == name)


def test_a_computer_that_can_do_everything() -> None:
    report = examine(Scripted(), NEEDS)

    assert report.can
    assert [finding.name for finding in report.findings if not finding.ok] == []
    assert set(list_provider_lacks(report).values()) == {""}


@pytest.mark.parametrize("startable", [0, 3])
def test_doctor_reports_where_no_more_threads_can_start(startable: int, monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, list[threading.Thread]()

    def refuse(thread: threading.Thread) -> None:
        if len(started) >= startable:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert examine(Scripted(), NEEDS).can


def test_whatever_is_missing_has_a_remedy_and_a_use() -> None:
    nothing = Scripted(
        files={}, programs=set(), answers={"unshare --net": Answer(1, "no"), "unshare --user": Answer(None, "no")}, devices={"/dev/null"}
    )
    nothing.unreachable, nothing.space, nothing.inodes, nothing.lo, nothing.now = "refused", 0, 0, "down", 0
    nothing.lacks, nothing.there, nothing.homes = {"write": "read-only"}, set(), None
    report = examine(nothing, MISSING)

    assert not report.can
    missing = [finding for finding in report.findings if not finding.ok]
    assert len(missing) > 15
    assert all(finding.remedy and finding.enables and finding.found for finding in missing)
    assert len({finding.name for finding in report.findings}) == len(report.findings)


def test_cached_programs_need_no_source() -> None:
    probe = Scripted(programs=set(), unreachable="Name or service not known")

    assert named(probe, "programs").ok
    assert examine(probe, NEEDS).can


def test_missing_programs_come_by_the_first_source_that_works() -> None:
    assert named(Scripted(), "programs", MISSING).found == "14 of 15 cached; the rest by download"
    built = named(Scripted(unreachable="HTTP 403"), "programs", MISSING)
    assert built.found == "14 of 15 cached; the rest by build (about 25 min, 13 GiB of Go's caches)"


def test_missing_programs_and_no_source_is_not_possible_here() -> None:
    probe = Scripted(programs=set(), unreachable="no route to host")

    assert not named(probe, "programs", MISSING).ok
    assert not examine(probe, MISSING).can
    assert named(probe, "downloads: dl.example", MISSING).found == "not reached: no route to host"


def test_a_go_without_modules_is_not_a_source() -> None:
    probe = Scripted(unreachable="refused")
    probe.answers["go list"] = Answer(1, "go: module lookup disabled by GOPROXY=off\n")

    assert named(probe, "go").ok
    assert "GOPROXY=off" in named(probe, "go modules").found
    assert not named(probe, "programs", MISSING).ok


def test_an_old_go_is_not_enough() -> None:
    probe = Scripted()
    probe.answers["go version"] = Answer(0, "go version go1.19.8 linux/amd64")

    assert not named(probe, "go").ok


def test_memory_says_how_many_members_fit() -> None:
    probe = Scripted()
    probe.files["/proc/meminfo"] = meminfo((700 + 2 * 430) * MIB)
    finding = named(probe, "memory")

    assert not finding.ok
    assert finding.needed
    assert "1 member fits" in finding.found
    assert "--members 1" in finding.remedy


def test_a_client_without_engine_is_no_engine() -> None:
    probe = Scripted()
    probe.answers["docker info"] = Answer(1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n")
    finding = named(probe, "docker engine")

    assert not finding.ok
    assert "start it" in finding.remedy
    assert list_provider_lacks(examine(probe, NEEDS))["kind"] == "docker engine"


def test_where_a_capability_is_out_of_bounds_the_runtime_must_know() -> None:
    probe = Scripted()
    probe.files["/proc/self/status"] = "CapBnd:\t000001fffeffffff\n"
    assert not named(probe, "privileged containers").ok
    assert list_provider_lacks(examine(probe, NEEDS))["kind"] == "privileged containers"

    probe.answers["docker info"] = info(DefaultRuntime="karmada-lab")
    assert named(probe, "privileged containers").ok
    assert list_provider_lacks(examine(probe, NEEDS))["kind"] == ""


def test_lacking_capabilities_are_named() -> None:
    probe = Scripted()
    probe.files["/proc/self/status"] = "CapBnd:\t000001fffeffffff\n"

    assert named(probe, "capabilities").found == "without SYS_RESOURCE"


def test_inotify_counts_what_is_in_use() -> None:
    probe = Scripted(watchers=100)
    probe.files["/proc/sys/fs/inotify/max_user_instances"] = "128\n"

    assert not named(probe, "inotify").ok
    assert not examine(probe, NEEDS).can
    assert not named(probe, "inotify limits").ok


def test_cgroup_version() -> None:
    probe = Scripted()
    del probe.files["/sys/fs/cgroup/cgroup.controllers"]

    assert named(probe, "cgroup v2").found == "version 1"


def test_disk_counts_only_what_is_still_to_be_brought() -> None:
    probe = Scripted(space=5 * GIB)

    assert named(probe, "disk for programs").ok
    assert not named(probe, "disk for programs", MISSING).ok
