"""A diagnosis asks all sources at once, and ends in time whatever they do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from lab.diagnosis import diagnose as module
from lab.diagnosis.cause import Cause, Diagnosis, Rank
from lab.diagnosis.diagnose import CauseSource, diagnose, find_server_causes, list_sources
from lab.run import Run
from lab.status.checks import Question
from lab.status.client import Silent
from lab.tests.diagnosis.test_programs import make_status

DISK, POD = Cause(Rank.COMPUTER, "disk is full"), Cause(Rank.WORKLOAD, "pod waits")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("lab1", {"lab": {"host": {"name": "host"}, "members": [{"name": "member1"}]}, "karmada": {}}, root=tmp_path)


def use_sources(monkeypatch: pytest.MonkeyPatch, **finders: Callable[[], Iterable[Cause]]) -> None:
    monkeypatch.setattr(module, "list_sources", lambda *_, **__: [CauseSource(name, find) for name, find in finders.items()])


def test_causes_come_sorted_and_a_source_that_fails_is_unanswered(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[Cause]:
        raise ValueError

    use_sources(monkeypatch, pods=lambda: [POD], other=fail, disks=lambda: [DISK])

    assert diagnose(run) == Diagnosis((DISK, POD), ("other",))


def test_an_api_that_is_silent_is_left_to_the_check_of_its_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> list[Cause]:
        raise Silent("no answer")

    use_sources(monkeypatch, workloads=ask)

    assert diagnose(run) == Diagnosis()


def test_a_source_that_hangs_costs_no_more_than_the_limit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang() -> Iterator[Cause]:
        yield DISK
        release.wait(30)
        yield POD

    use_sources(monkeypatch, late=hang)
    began = time.monotonic()

    assert diagnose(run, within=0.3) == Diagnosis((DISK,), ("late",))
    assert time.monotonic() - began < 10
    release.set()


def test_a_lab_without_a_supervisor_has_no_apis_to_ask(run: Run) -> None:
    assert "workloads of host" not in {source.name for source in list_sources(run, None, "", within=1.0)}


@pytest.mark.parametrize(("kubeconfig", "source"), [(False, "kubeconfig"), (True, "workloads of host")])
def test_a_missing_kubeconfig_is_one_cause(run: Run, kubeconfig: bool, source: str) -> None:
    if kubeconfig:
        (run.path / "kubeconfig.yaml").write_text("contexts: []")

    sources = {each.name: each for each in list_sources(run, make_status(), "", within=1.0)}

    assert source in sources
    assert len(sources.keys() & {"kubeconfig", "workloads of host"}) == 1


@pytest.mark.parametrize(("may_pass", "blocking"), [(True, False), (False, True)])
def test_a_fault_blocks_unless_it_may_pass(may_pass: bool, blocking: bool) -> None:
    (cause,) = find_server_causes(Question("host", lambda: ["node n is not Ready"], may_pass))

    assert cause.blocking is blocking


def test_a_silent_server_blocks() -> None:
    def ask() -> list[str]:
        raise Silent("no answer")

    (cause,) = find_server_causes(Question("host", ask, may_pass=True))

    assert cause.blocking
