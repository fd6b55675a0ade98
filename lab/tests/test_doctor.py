from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deployers.commands import doctor as command
from lab.computer import Answer, Computer
from lab.doctor import checks as limits
from lab.doctor import examine as doctor
from lab.doctor.examine import examine, list_provider_lacks
from lab.limits.finding import GIB, MIB, Finding, Needs
from lab.supervisor.state import make_exit_error
from lab.tests.cli_fakes import invoke, state
from lab.tests.computer_fakes import Scripted, info, meminfo

URL = "https://dl.example/release/v1/kubectl"
NEEDS = Needs(total=15, urls=(URL,), module="k8s.io/kubernetes@v1.35.4", build_minutes=25, build_bytes=13 * GIB)
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


@pytest.mark.parametrize(("probe", "code"), [(Scripted(), 0), (Scripted(watchers=10_000), 3)])
def test_doctor_tells_by_its_exit_code(probe: Scripted, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.computer.Computer", lambda: probe)
    monkeypatch.setattr(command, "needs_of", lambda wanted, supply: NEEDS)
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: [])
    text, data = invoke("doctor"), invoke("doctor", "-o", "json")

    assert (text.code, data.code) == (code, code)
    report: Any = json.loads(data.out)
    assert report["schema"] == 1
    assert report["default_lab"] is (code == 0)
    assert {"name", "ok", "found", "enables", "remedy", "needed"} == set(report["findings"][0])


CASES = Path(__file__).parent / "cases"


def test_doctor_judges_a_lab_file_as_up_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.computer.Computer", Scripted)
    monkeypatch.setattr(command, "needs_of", lambda wanted, supply: NEEDS)
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: [])
    wrong = str(CASES / "labels-kubernetes-refuses" / "zone.toml")

    for done in (invoke("doctor", "--spec", wrong), invoke("up", "--plan", "--spec", wrong), invoke("up", "--spec", wrong)):
        assert done.code == 2
        assert "members[0].nodes[0].zone" in done.err
    assert invoke("doctor", "--spec", str(CASES / "numeric-names" / "lab.toml")).code == 0
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: ["memory: too little"])
    assert invoke("doctor").code == invoke("up", "--plan").code == 3


def test_options_that_say_where_things_come_from_are_part_of_the_preflight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: [])
    done = invoke("up", "--plan", "--mirror", "mirror.example", "--image-registry", "r example", "--bundle", str(tmp_path / "none"))

    assert done.code == 2
    assert all(option in done.err for option in ("--mirror", "--image-registry", "--bundle"))


def test_this_computer_answers_without_raising(tmp_path: Path) -> None:
    computer = Computer()

    assert computer.read("/proc/self/status")
    assert computer.read("/nowhere") is None
    assert not computer.opens("/nowhere")
    assert computer.which("no-such-program") is None
    assert computer.free(tmp_path / "not" / "there") > 0
    assert computer.reach("file:///nowhere") != ""


@pytest.mark.parametrize("module", [doctor, limits])
def test_every_check_is_in_the_list(module: Any) -> None:
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    checks = {name for name, value in own.items() if getattr(value, "__annotations__", {}).get("return") == "list[Finding]"}

    assert checks == {check.__name__ for check in module.CHECKS if check.__module__ == module.__name__}
    assert set(limits.CHECKS) <= set(doctor.CHECKS)


def test_a_program_that_ended_for_lack_of_inotify_names_the_limit(tmp_path: Path) -> None:
    log = tmp_path / "webhook.log"
    log.write_text('E1123 run.go:72] "command failed" err="too many open files"\n')
    error = make_exit_error(replace(state("karmada/karmada-webhook", "exited"), log=log, log_offset=0, ports=()))

    assert "fs.inotify.max_user_instances" in (error.remedy or "")
