"""The kind provider: what it refuses, what it asks kind for, that it deletes what it recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab import docker
from lab.cluster import Lab
from lab.computer import Answer
from lab.docker_engine import record_engine
from lab.errors import ProvisionError
from lab.images import node
from lab.images.load import RECORD
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.providers import kind
from lab.providers.kind import Kind, make_guard
from lab.providers.kind_making import KindCluster
from lab.run import Run
from lab.spec import Capability, LabSpec
from lab.steps import compute_waves
from lab.tests.computer_fakes import Scripted as ScriptedComputer
from lab.tests.kind_fakes import spec

CONTAINER = "karmada-lab.one.member1-control-plane"
PS = ("docker", "ps", "--all", "--format", "{{.Names}}")
NO_DOCKER = ScriptedComputer(programs=set())
DENIED = ScriptedComputer(answers={"docker info": Answer(1, "Got permission denied while trying to connect")})
STOPPED = ScriptedComputer(answers={"docker info": Answer(1, "Cannot connect to the Docker daemon")})


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.open(Run.create("one", {"lab": spec().model_dump(mode="json"), "karmada": None}, root=tmp_path))


def test_it_offers_pods_and_members_have_no_hollow_nodes_unasked() -> None:
    assert Kind().offers == {Capability.PODS, Capability.MACHINES, Capability.HOLLOW}
    assert spec().members[0].nodes == ()
    assert len(spec(nodes=[{"count": 2}]).members[0].nodes) == 1
    assert len(LabSpec.model_validate({"members": [{"name": "member1"}]}).members[0].nodes) == 1


@pytest.mark.parametrize(
    ("computer", "says"),
    [(NO_DOCKER, "not installed: make setup-docker"), (DENIED, "group docker"), (STOPPED, "no engine answers")],
)
def test_without_docker_only_the_remedy_is_reported(computer: ScriptedComputer, says: str) -> None:
    (said,) = Kind(computer=computer).check(spec())
    assert says in said
    assert says in docker.find_docker_error(computer)


def test_inotify_instances_are_counted() -> None:
    computer = ScriptedComputer(watchers=100)
    computer.files["/proc/sys/fs/inotify/max_user_instances"] = "128"
    (said,) = Kind(computer=computer).check(spec())
    assert "28 of 128" in said


def test_what_kubeadm_cannot_carry_is_refused() -> None:
    flags = {"kube-apiserver": {"profiling": None}, "kube-proxy": {"v": "4"}, "kwok": {"v": None}}
    said = Kind(computer=ScriptedComputer()).check_spec(
        spec(flags=flags, env={"etcd": {"A": "b"}}, nodes=[{"count": 1}], files={"a.yaml": ""})
    )
    assert [problem.path.partition(".")[2] for problem in said] == [
        "flags.kube-apiserver.profiling",
        "flags.kube-proxy",
        "env.etcd",
        "files",
    ]


def test_every_need_of_a_step_is_there(lab: Lab) -> None:
    lab.__dict__["machine"] = Scripted()
    steps = Kind(computer=ScriptedComputer()).create(lab, {})
    names = {step.name for wave in compute_waves(steps) for step in wave}
    assert {"host", "member1", "member1/node", "member1/kube-apiserver", "node-image/1.35.4", "lab/guard"} <= names


def test_delete_removes_what_the_run_made_twice_and_asks_nothing_where_nothing_was_made(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "karmada-lab.one-more.member1-control-plane"
    machine = Scripted({PS: f"{CONTAINER}\n{other}\n", ("docker", "rm"): ""})
    monkeypatch.setattr(kind, "Local", lambda _: machine)
    Kind().delete(lab.run)
    assert machine.done == []

    lab.run.record(RECORD, "member1", {"containers": [CONTAINER]})
    Kind().delete(lab.run)
    Kind().delete(lab.run)
    assert machine.transcript().count("docker rm") == 1
    assert other not in machine.transcript().partition("docker rm")[2]


def test_an_engine_that_is_away_leaves_the_record_and_says_what_to_do(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "Local", lambda _: Scripted({PS: ScriptedFailure(1, "Cannot connect to the Docker daemon")}))
    lab.run.record(RECORD, "member1", {"containers": [CONTAINER]})

    with pytest.raises(ProvisionError, match="Docker") as error:
        Kind().delete(lab.run)
    assert "lab down --lab one" in (error.value.remedy or "")
    assert lab.run.records(RECORD)


def test_pods_of_every_cluster_know_the_way_to_those_of_every_other(lab: Lab) -> None:
    host, member = "karmada-lab.one.host-control-plane", CONTAINER
    inspected: dict[Any, Any] = {
        ("docker", "inspect", "--type", "container", name): json.dumps([{"NetworkSettings": {"Networks": {"kind": {"IPAddress": at}}}}])
        for name, at in ((host, "172.18.0.2"), (member, "172.18.0.3"))
    }
    machine = Scripted({**inspected, ("docker", "exec"): ""})
    lab.__dict__["machine"] = machine
    each = [KindCluster(lab, spec, cluster, {}, {}, False) for spec, cluster in zip(lab.spec.clusters, lab.clusters, strict=True)]
    for one in each:
        one.give_network(one.container, node.first_node_subnet(one.subnet))
    kind.add_routes(each)

    told = {done.args[3]: done.input for done in machine.done if "-batch" in done.args}
    assert told == {
        host: b"route replace 10.224.16.0/24 via 172.18.0.3\n",
        member: b"route replace 10.224.0.0/24 via 172.18.0.2\n",
    }


def test_the_guard_removes_containers_from_the_engine_of_its_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    record_engine(lab.run.path, {"DOCKER_HOST": "tcp://one:1", "HOME": "/h"})
    monkeypatch.setenv("DOCKER_HOST", "tcp://two:2")

    env = make_guard(lab.run).env

    assert (env["DOCKER_HOST"], env["DOCKER_CONFIG"]) == ("tcp://one:1", "/h/.docker")
    assert not {"DOCKER_CONTEXT", "HTTPS_PROXY"} & env.keys()
