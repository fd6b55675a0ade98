"""The kind provider: what it refuses, what it asks kind for, that it deletes what it recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import docker, hollow
from lab.assets import Cache
from lab.cluster import Lab
from lab.computer import Answer
from lab.docker_engine import record_engine
from lab.errors import ProvisionError
from lab.images import node
from lab.images.load import RECORD
from lab.images.store import Archive
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.providers import kind, kind_config, kind_making
from lab.providers.kind import Kind, make_guard
from lab.providers.kind_making import KWOK, KindCluster
from lab.run import Run
from lab.spec import Capability, LabSpec
from lab.steps import compute_waves
from lab.tests.computer_fakes import Scripted as ScriptedComputer

CONTAINER = "karmada-lab.one.member1-control-plane"
PS = ("docker", "ps", "--all", "--format", "{{.Names}}")


def spec(**changes: Any) -> LabSpec:
    return LabSpec.model_validate({"provider": "kind", "members": [{"name": "member1", **changes}]})


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.open(Run.create("one", {"lab": spec().model_dump(mode="json"), "karmada": None}, root=tmp_path))


def making(lab: Lab, machine: Scripted, *, bounded: bool = False) -> KindCluster:
    lab.__dict__["machine"] = machine
    software = {"kind": Path("/kind"), f"kwok@{KWOK}": Path("/kwok"), f"kwok-stages@{KWOK}": Path("/stages")}
    return KindCluster(lab, lab.spec.members[0], lab.members[0], software, {"1.35.4": "karmada-lab/node:v1.35.4-abc"}, bounded)


def test_it_offers_pods_and_members_have_no_hollow_nodes_unasked() -> None:
    assert Kind().offers == {Capability.PODS, Capability.MACHINES, Capability.HOLLOW}
    assert spec().members[0].nodes == ()
    assert len(spec(nodes=[{"count": 2}]).members[0].nodes) == 1
    assert len(LabSpec.model_validate({"members": [{"name": "member1"}]}).members[0].nodes) == 1


NO_DOCKER = ScriptedComputer(programs=set())
DENIED = ScriptedComputer(answers={"docker info": Answer(1, "Got permission denied while trying to connect")})
STOPPED = ScriptedComputer(answers={"docker info": Answer(1, "Cannot connect to the Docker daemon")})


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


def admin_kubeconfig(server: str = "https://x:6443") -> dict[str, Any]:
    """Return a kubeconfig as kind writes it."""
    return {
        "clusters": [{"name": "kind-a", "cluster": {"server": server, "certificate-authority-data": "Y2E="}}],
        "contexts": [{"name": "kind-a", "context": {"cluster": "kind-a", "user": "kind-a"}}],
        "current-context": "kind-a",
        "users": [{"name": "kind-a", "user": {"t": 1}}],
    }


def test_the_node_is_recorded_before_it_is_made_and_reached_by_its_address(lab: Lab) -> None:
    seen: list[Any] = []

    def create(words: tuple[str, ...]) -> str:
        seen.append(lab.run.recorded(RECORD, "member1"))
        Path(words[words.index("--kubeconfig") + 1]).write_text(yaml.safe_dump(admin_kubeconfig()))
        return ""

    inspected = json.dumps([{"NetworkSettings": {"Networks": {"kind": {"IPAddress": "172.18.0.9"}}}}])
    machine = Scripted(
        {
            PS: "",
            ("docker", "rm"): "",
            ("/kind", "create"): create,
            ("docker", "inspect"): inspected,
        }
    )
    making(lab, machine).node()

    assert seen[0]["state"] == "making"
    assert seen[0]["containers"] == [CONTAINER]
    assert lab.run.recorded(RECORD, "member1")["state"] == "made"  # type: ignore[index]
    written = yaml.safe_load(lab.members[0].kubeconfig.read_text())
    assert written["current-context"] == "member1"
    assert written["clusters"][0]["cluster"]["server"] == "https://172.18.0.9:6443"
    create_words = next(done.args for done in machine.done if done.args[:2] == ("/kind", "create"))
    assert "--retain" in create_words
    assert create_words[create_words.index("--image") + 1] == "karmada-lab/node:v1.35.4-abc"


def test_a_node_that_was_made_is_left_alone(lab: Lab) -> None:
    lab.run.record(RECORD, "member1", {"containers": [CONTAINER], "state": "made", "archives": node.ARCHIVES})
    networks = json.dumps([{"NetworkSettings": {"Networks": {"kind": {"IPAddress": "172.18.0.9"}}}}])
    machine = Scripted({PS: f"{CONTAINER}\n", ("docker", "start"): "", ("docker", "inspect"): networks})
    made = making(lab, machine)
    made.exported.write_text(yaml.safe_dump(admin_kubeconfig()))
    made.node()

    assert "create" not in machine.transcript()
    assert "docker rm" not in machine.transcript()


def test_a_node_is_asked_for_the_test_applications_unless_it_was_made_just_now(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(kind_making, "make_archive", lambda *_, **__: None)
    monkeypatch.setattr(kind_making, "load_archive", lambda lab, cluster, archive: loaded.append(cluster.name))
    monkeypatch.setattr(KindCluster, "kubeconfig", lambda _: None)
    machine = Scripted({PS: f"{CONTAINER}\n", ("docker", "rm"): "", ("docker", "start"): "", ("/kind", "create"): ""})

    for expected in ([], ["member1"]):
        part = making(lab, machine)
        part.node()
        part.applications()
        assert loaded == expected


def test_the_kubelet_is_held_back_only_where_the_computer_is_bounded(lab: Lab) -> None:
    def kubelet(*, bounded: bool) -> Any:
        return yaml.safe_load(making(lab, Scripted(), bounded=bounded).configuration()["kubeadmConfigPatches"][0])

    assert kubelet(bounded=False) == {"kind": "KubeletConfiguration", "failCgroupV1": False, "syncFrequency": "3s"}
    assert kubelet(bounded=True)["featureGates"] == {"KubeletInUserNamespace": True}


def with_workers(tmp_path: Path) -> Lab:
    wanted = spec(workers=[{"count": 2, "zone": "a", "labels": {"disk": "ssd"}}, {"zone": "b"}])
    return Lab.open(Run.create("one", {"lab": wanted.model_dump(mode="json"), "karmada": None}, root=tmp_path))


def test_workers_are_nodes_with_their_labels_and_the_first_node_takes_pods_as_well(tmp_path: Path) -> None:
    config = making(with_workers(tmp_path), Scripted()).configuration()

    zone = "topology.kubernetes.io/zone"
    assert [each.get("labels") for each in config["nodes"]] == [None, *2 * [{zone: "a", "disk": "ssd"}], {zone: "b"}]
    assert [each["role"] for each in config["nodes"]] == ["control-plane", *3 * ["worker"]]
    folders = [each["extraMounts"][2]["hostPath"] for each in config["nodes"]]
    assert [Path(folder).name for folder in folders] == ["control-plane", "worker", "worker2", "worker3"]
    assert yaml.safe_load(config["kubeadmConfigPatches"][2])["nodeRegistration"] == {"taints": []}
    alone = making(Lab.open(Run.create("two", {"lab": spec().model_dump(mode="json"), "karmada": None}, root=tmp_path)), Scripted())
    assert "nodeRegistration" not in alone.configuration()["kubeadmConfigPatches"][2]


def test_a_token_to_join_by_is_there_only_where_a_node_joins(tmp_path: Path, lab: Lab) -> None:
    def skipped(lab: Lab) -> set[str]:
        return set(yaml.safe_load(making(lab, Scripted()).configuration()["kubeadmConfigPatches"][2])["skipPhases"])

    joined = with_workers(tmp_path / "joined")
    assert skipped(lab) - skipped(joined) == {"bootstrap-token", "show-join-command"}


def test_a_worker_has_the_network_that_the_cluster_gave_it(tmp_path: Path) -> None:
    class Nodes:
        def get(self, path: str) -> Any:
            return {"spec": {"podCIDR": "10.224.18.0/24"} if path.endswith("-worker") else {}}

    lab = with_workers(tmp_path)
    lab.members[0].__dict__["api"] = Nodes()
    part = making(lab, Scripted())
    worker = part.containers[1]
    part.give_network(worker, part.handed_out(worker))

    assert part.pods_of(worker) == "10.224.18.0/24"
    assert part.containers == [f"karmada-lab.one.member1-{name}" for name in ("control-plane", "worker", "worker2", "worker3")]


def test_addresses_of_clusters_do_not_meet_nor_those_of_their_nodes() -> None:
    assert str(node.first_node_subnet(node.cluster_subnet(0))) == "10.224.0.0/24"
    assert str(node.cluster_subnet(511)) == "10.255.240.0/20"
    assert not node.cluster_subnet(1).overlaps(node.cluster_subnet(2))


def test_flags_of_the_spec_reach_kubeadm(tmp_path: Path) -> None:
    wanted = spec(flags={"kube-apiserver": {"v": "4"}, "etcd": {"snapshot-count": "5"}})
    lab = Lab.open(Run.create("one", {"lab": wanted.model_dump(mode="json"), "karmada": None}, root=tmp_path))
    programs = kind_config.make_control_plane_flags(lab.spec.members[0])

    assert programs["apiServer"]["extraArgs"]["v"] == "4"
    assert programs["apiServer"]["extraArgs"]["audit-log-path"] == "/kind/lab/audit.jsonl"
    assert programs["etcd"]["local"]["extraArgs"] == {**kind_config.FLAGS["etcd"], "snapshot-count": "5"}


def test_kinds_own_defaults_are_left_but_for_what_this_computer_cannot_do_without() -> None:
    assert kind_config.make_plain_config(bounded=False) == {
        **kind_config.HEAD,
        "networking": {"disableDefaultCNI": True},
        "kubeadmConfigPatches": ["kind: KubeletConfiguration\nfailCgroupV1: false\n"],
    }


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


def test_kinds_last_output_is_in_the_error_and_in_the_log(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind_making, "Computer", lambda engine: ScriptedComputer())
    machine = Scripted({PS: "", ("docker", "rm"): "", ("/kind", "create"): ScriptedFailure(1, "ERROR: failed to init node with kubeadm")})

    with pytest.raises(ProvisionError, match="member1") as error:
        making(lab, machine).node()
    assert "kubeadm" in (error.value.detail or "")
    assert "kubeadm" in lab.run.log("member1/kind").read_text()


def test_hollow_nodes_beside_real_ones_are_tainted_and_the_real_one_is_not_kwoks() -> None:
    (manifest,) = hollow.node_manifests("member1", spec(nodes=[{"count": 1}]).members[0].nodes, at=("127.0.0.1", 1), alone=False)
    assert manifest["spec"]["taints"] == [{"key": hollow.HOLLOW, "value": "fake", "effect": "NoSchedule"}]
    assert hollow.unready_reason({**manifest}) is None

    part = hollow.kwok_component(
        "m", binary=Path("/k"), config=Path("/c"), kubeconfig=Path("/f"), at=("127.0.0.1", 1), nodes=1, needs=(), alone=False
    )
    assert "manage-all-nodes" not in part.flags


def test_the_bounding_set_is_read_as_the_kernel_writes_it() -> None:
    assert docker.lacks_sys_resource("CapEff:\t0\nCapBnd:\t000001fffeffffff\n")
    assert not docker.lacks_sys_resource("CapBnd:\t000001ffffffffff\n")


def test_a_node_image_takes_nothing_away_where_nothing_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "etc/containerd").mkdir(parents=True)
    (tmp_path / "etc/containerd/config.toml").write_text(
        'SystemdCgroup = true\n  sandbox_image = "old"\n  restrict_oom_score_adj = false\n'
    )
    free, bound = (node.NodeRecipe("1.35.4", bounded).of_kind(tmp_path, pause="p:1")[0].content or b"" for bounded in (False, True))

    assert b'sandbox_image = "p:1"' in free
    assert b"BinaryName" not in free
    assert b"BinaryName" in bound
    assert b"restrict_oom_score_adj = true" in bound


def test_what_is_for_a_service_does_not_leave_the_node() -> None:
    files = {file.path: file for file in node.NodeRecipe("1.35.4", bounded=False).system(Path("/nowhere"), pause="p:1").files}
    refused = [line for line in (files["/etc/systemd/system/fence.service"].content or b"").decode().splitlines() if "ExecStart" in line]

    assert [line.split("--insert ")[1] for line in refused] == [
        f"{to} --destination {node.SERVICES} --jump REJECT" for to in ("FORWARD", "OUTPUT")
    ]
    assert files["/etc/systemd/system/multi-user.target.wants/fence.service"].link == "/etc/systemd/system/fence.service"


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


@pytest.mark.spawns
def test_the_guard_removes_the_runs_containers_on_sigterm(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    from lab.wait import NotYet, until

    done = tmp_path / "removed"
    fake = tmp_path / "docker"
    fake.write_text(f'#!/bin/sh\n[ "$1" = ps ] && printf "{CONTAINER}\\nkarmada-lab.one-more.x\\n" || echo "$DOCKER_HOST $@" > {done}\n')
    fake.chmod(0o755)
    argv = [sys.executable, "-m", "lab.docker.guard", "karmada-lab.one."]
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "DOCKER_HOST": "tcp://one:1"}
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert "guarding" in child.stdout.readline()
        child.terminate()
        assert child.wait(10) == 0

    def removed() -> None:
        if not done.exists():
            raise NotYet("nothing was removed")

    until(removed, what="the containers are removed", within=10)
    assert done.read_text() == f"tcp://one:1 rm --force --volumes {CONTAINER}\n"


LISTED = [f"registry.k8s.io/kube-{name}:v1.35.4" for name in ("apiserver", "controller-manager", "scheduler", "proxy")]
LISTED += ["registry.k8s.io/coredns/coredns:v1.13.1", "registry.k8s.io/pause:3.10.1", "registry.k8s.io/etcd:3.6.6-0"]


SPEC = '{"process": {"rlimits": [], "user": {}}}'


def node_engine(monkeypatch: pytest.MonkeyPatch, *, there: str) -> Scripted:
    """Return an engine that has these images, for a node image whose archives need not be written."""
    written = Archive("k", Path("/archives/k/images.tar"), (), 1, 0.0, 0.0)
    monkeypatch.setattr(node, "make_archive", lambda images, paths, **_: written)
    answers = {
        ("/kubeadm", "config", "images", "list"): "\n".join(LISTED),
        ("docker",): "",
        ("docker", "image", "ls"): there,
    }
    return Scripted({**answers, ("docker", "exec"): lambda words: ScriptedFailure(1) if "pgrep" in words else SPEC})


def test_a_node_image_that_is_there_is_not_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = node_engine(monkeypatch, there="15de27681c33\n")
    paths = {"kubeadm@1.35.4": Path("/kubeadm"), "kind-files": tmp_path}

    name = node.build_node_image(engine, "1.35.4", paths, bounded=False, cache=Cache(tmp_path / "cache"))

    assert name.startswith("karmada-lab/node:v1.35.4-")
    assert "docker commit" not in engine.transcript()


def test_a_node_image_is_loaded_filled_committed_and_its_container_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = node_engine(monkeypatch, there="")
    paths = {"kubeadm@1.35.4": Path("/kubeadm"), "kind-files": tmp_path}

    name = node.build_node_image(engine, "1.35.4", paths, bounded=False, cache=Cache(tmp_path / "cache"))

    verbs = [done.args[1] for done in engine.done if done.args[0] == "docker"]
    assert [verb for verb in verbs if verb in {"load", "run", "stop", "commit"}] == ["load", "run", "stop", "commit"]
    assert verbs[-1] == "rm"
    committed = next(done.args for done in engine.done if done.args[:2] == ("docker", "commit"))
    assert committed[-1] == name
    assert [each.args[-2:] for each in engine.done if each.args[:2] == ("docker", "exec")][-3:] == [
        ("--exact", "containerd"),
        ("--exact", "containerd"),  # ended, and seen to be
        ("-s", node.UNPACKED),
    ]
    spec_written = next(done.input for done in engine.done if "tee" in done.args)
    assert spec_written == b'{"process": {"user": {}}}'


def test_a_node_image_that_cannot_be_made_leaves_no_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = node_engine(monkeypatch, there="")
    engine._answers["docker", "commit"] = ScriptedFailure(1, "no space left on device")
    paths = {"kubeadm@1.35.4": Path("/kubeadm"), "kind-files": tmp_path}

    with pytest.raises(ProvisionError, match="node image") as error:
        node.build_node_image(engine, "1.35.4", paths, bounded=False, cache=Cache(tmp_path / "cache"))
    assert "no space left" in (error.value.detail or "")
    assert engine.done[-1].args[:3] == ("docker", "rm", "--force")


@pytest.mark.parametrize(
    ("version", "expected"), [("1.34.4", "featureGates"), ("1.35.4", "featureGates"), ("1.36.3", "encryptionAlgorithm")]
)
def test_the_kubeadm_config_of_each_version_sets_elliptic_keys(version: str, expected: str) -> None:
    assert list(kind_config.make_key_settings(version)) == [expected]


def test_the_guard_removes_containers_from_the_engine_of_its_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    record_engine(lab.run.path, {"DOCKER_HOST": "tcp://one:1", "HOME": "/h"})
    monkeypatch.setenv("DOCKER_HOST", "tcp://two:2")

    env = make_guard(lab.run).env

    assert (env["DOCKER_HOST"], env["DOCKER_CONFIG"]) == ("tcp://one:1", "/h/.docker")
    assert not {"DOCKER_CONTEXT", "HTTPS_PROXY"} & env.keys()
