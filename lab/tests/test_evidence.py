from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab import evidence
from lab.evidence import collect
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.run import Run
from lab.supervisor.state import ProgramState
from lab.tests.api_fakes import api_server, listing

Json = dict[str, Any]
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIhunter2\n-----END RSA PRIVATE KEY-----\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create("r1", {"lab": {}, "karmada": None}, root=tmp_path)


@pytest.fixture
def serve(run: Run, tmp_path: Path) -> Iterator[Any]:
    """A function that serves answers as one of the run's clusters."""
    with ExitStack() as stack:

        def serve(name: str, answers: dict[str, Any]) -> None:
            kubeconfig = stack.enter_context(api_server(tmp_path / name, {"/version": {}, "/apis": {"groups": []}, **answers}, name=name))
            run.folder("kubeconfig")
            kubeconfig.rename(run.kubeconfig(name))

        yield serve


def index(folder: Path) -> Json:
    loaded: Json = json.loads((folder / "index.json").read_text())
    return loaded


def named(name: str, **more: Any) -> Json:
    return {"metadata": {"name": name, "managedFields": ["long"]}, **more}


def test_objects_of_every_cluster_are_dumped(run: Run, serve: Any) -> None:
    serve("member1", {"/api/v1/nodes": listing(named("n1"), named("n2"))})
    serve("member2", {"/api/v1/pods": listing(named("p1"))})

    folder = collect(run, "failed")

    assert folder.parent == run.path / "evidence"
    assert [node["metadata"] for node in json.loads((folder / "clusters/member1/nodes.json").read_text())] == [
        {"name": "n1"},
        {"name": "n2"},
    ]
    assert (folder / "clusters/member2/pods-not-running.json").exists()
    assert {"clusters/member1/nodes.json", "clusters/member2/pods-not-running.json"} <= index(folder)["files"].keys()


def test_kinds_that_are_not_kubernetes_own_are_dumped_too(run: Run, serve: Any) -> None:
    new, old = {"groupVersion": "policy.example.io/v1"}, {"groupVersion": "policy.example.io/v1beta1"}
    groups = [
        {"name": "policy.example.io", "preferredVersion": new, "versions": [new, old]},
        {"name": "storage.k8s.io", "preferredVersion": {"groupVersion": "storage.k8s.io/v1"}},
    ]
    resources = [{"name": "rules", "verbs": ["list"]}, {"name": "rules/status", "verbs": ["get"]}, {"name": "reviews", "verbs": ["create"]}]
    serve(
        "host",
        {
            "/apis": {"groups": groups},
            "/api/v1": {"resources": [{"name": "secrets", "verbs": ["list"]}, {"name": "configmaps", "verbs": ["list"]}]},
            "/api/v1/secrets": listing(named("s1")),
            "/api/v1/configmaps": listing(named("c1")),
            "/apis/policy.example.io/v1": {"resources": resources},
            "/apis/policy.example.io/v1/rules": listing(named("r1")),
            "/apis/policy.example.io/v1beta1": {"resources": [*resources, {"name": "olds", "verbs": ["list"]}]},
            "/apis/policy.example.io/v1beta1/olds": listing(named("o1")),
            "/apis/policy.example.io/v1beta1/rules": listing(named("r1"), named("r2")),
            "/apis/storage.k8s.io/v1": {"resources": [{"name": "storageclasses", "verbs": ["list"]}]},
        },
    )

    folder = collect(run, "failed")

    names = sorted(path.name for path in (folder / "clusters/host").iterdir())
    assert names == ["olds.policy.example.io.json", "rules.policy.example.io.json", "version.json"]
    assert len(json.loads((folder / "clusters/host/rules.policy.example.io.json").read_text())) == 1


def test_an_unreachable_cluster_is_listed_and_the_others_are_collected(run: Run, serve: Any, tmp_path: Path) -> None:
    serve("member1", {"/api/v1/nodes": listing(named("n1"))})
    with api_server(tmp_path / "gone", {}, name="gone") as kubeconfig:
        kubeconfig.rename(run.kubeconfig("gone"))

    folder = collect(run, "failed")

    assert "clusters/gone" in index(folder)["missing"]
    assert (folder / "clusters/member1/nodes.json").exists()


def test_a_cluster_that_hangs_does_not_hold_up(run: Run, serve: Any) -> None:
    hung = threading.Event()
    serve("member1", {"/version": lambda: {"waited": hung.wait(20)}})
    try:
        folder = collect(run, "failed", within=0.5)
    finally:
        hung.set()

    assert index(folder)["missing"]["clusters/member1"] == "not within 0.5 s"
    assert index(folder)["seconds"] < 5


def test_logs_journal_and_events_come_along_masked(run: Run) -> None:
    run.journal("begin", argv=["register", "--token", "hunter2"])
    run.log("member1/etcd").parent.mkdir(parents=True)
    run.log("member1/etcd").write_text(f"ready\n{KEY}Authorization: Bearer hunter2\n")
    run.folder("evidence")
    (run.path / "evidence/events-member1.jsonl").write_text('{"message":"password: hunter2"}\n')

    folder = collect(run, "failed")

    assert {"logs/member1/etcd.log", "journal.jsonl", "events/member1.jsonl"} <= index(folder)["files"].keys()
    assert [path for path in folder.rglob("*") if path.is_file() and "hunter2" in path.read_text()] == []


def test_a_key_cut_by_the_tail_is_masked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "TAIL", 100)
    run.log("a/b").parent.mkdir(parents=True)
    run.log("a/b").write_text("x\n" * 500 + KEY.replace("hunter2", "hunter2\n" * 30) + "the end\n")

    folder = collect(run, "failed")

    text = (folder / "logs/a/b.log").read_text()
    assert "hunter2" not in text
    assert text.endswith("the end\n")


class Owner:
    """What owns programs on a machine: one that runs."""

    run = Path("/var/lib/karmada-lab/runs/r1")

    def programs(self) -> dict[str, ProgramState]:
        row = {"pid": 7, "status": None, "settled": True, "restarts": 0, "started_at": None, "ended_at": None, "delay": 0.0}
        tuples = {"argv": ["etcd"], "needs": [], "ports": [2379]}
        state = ProgramState.parse({"name": "host/etcd", "state": "running", "log": "/l", "log_offset": 0, **row, **tuples})
        return {state.name: state}


def on_machine(run: Run, monkeypatch: pytest.MonkeyPatch, answer: str | ScriptedFailure) -> None:
    """Give the run programs on machine a, on which `find` prints this."""
    run.record("program-owners", "a", {"root": str(Owner.run)})
    monkeypatch.setattr(evidence, "open_owner", lambda *_: Owner())
    monkeypatch.setattr(evidence, "open_machine", lambda *_: Scripted({("find", f"{Owner.run}/logs"): answer}, name="a"))


def test_programs_on_machines_come_along_masked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Owner.run / "logs/host/etcd.log"
    monkeypatch.setattr(evidence, "TAIL", 100)
    on_machine(run, monkeypatch, f"==> {log} <==\n" + "x\n" * 500 + KEY.replace("hunter2", "hunter2\n" * 30) + "the end\n")

    folder = collect(run, "failed")

    text = (folder / "machines/a/logs/host/etcd.log").read_text()
    assert text.endswith("the end\n")
    assert "left out" in text
    assert "hunter2" not in text
    assert [row["name"] for row in json.loads((folder / "machines/a/components.json").read_text())] == ["host/etcd"]


def test_an_unreachable_machine_is_listed_as_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    on_machine(run, monkeypatch, ScriptedFailure(None, "no route"))

    assert "machines/a" in index(collect(run, "failed"))["missing"]


def test_a_too_large_file_is_left_out_and_listed(run: Run, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "DUMP", 300)
    serve("member1", {"/api/v1/nodes": listing(*(named(f"n{number}") for number in range(50)))})

    folder = collect(run, "failed")

    kept = json.loads((folder / "clusters/member1/nodes.json").read_text())
    assert 0 < len(kept) < 50
    assert index(folder)["missing"]["clusters/member1/nodes.json"] == f"{50 - len(kept)} of 50 objects left out"


def test_nothing_is_raised_where_nothing_can_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert not collect(run, "failed", into=tmp_path / "file").exists()


def test_two_collections_are_two_directories(run: Run) -> None:
    folders = {collect(run, "scenarios/test_x.py::test_y[1:2]") for _ in range(3)}

    assert len(folders) == 3
    assert all(index(folder)["reason"] == "scenarios/test_x.py::test_y[1:2]" for folder in folders)


def test_without_a_supervisor_its_records_tell_how_programs_ended(run: Run) -> None:
    run.folder("processes")
    (run.path / "processes/member1+etcd.json").write_text('{"name": "member1/etcd", "state": "exited", "status": 1}')

    folder = collect(run, "failed")

    assert json.loads((folder / "components.json").read_text()) == [{"name": "member1/etcd", "state": "exited", "status": 1}]
    assert "components.json" in index(folder)["missing"]


def test_tails_of_several_files_are_split_by_their_headings() -> None:
    said = "==> /var/log/pods/a_b_c/web/0.log <==\none\ntwo\n\n==> /var/log/pods/d_e_f/x/0.log <==\nthree\n"
    assert evidence.split_tails(said) == {"/var/log/pods/a_b_c/web/0.log": "one\ntwo\n\n", "/var/log/pods/d_e_f/x/0.log": "three\n"}
