"""How kind clusters are made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cluster import Lab
from lab.errors import ProvisionError
from lab.images import node
from lab.images.load import RECORD
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.providers import kind_making
from lab.providers.kind_making import KWOK, KindCluster
from lab.run import Run
from lab.tests.computer_fakes import Scripted as ScriptedComputer
from lab.tests.kind_fakes import spec

CONTAINER = "karmada-lab.one.member1-control-plane"
PS = ("docker", "ps", "--all", "--format", "{{.Names}}")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.open(Run.create("one", {"lab": spec().model_dump(mode="json"), "karmada": None}, root=tmp_path))


def making(lab: Lab, machine: Scripted, *, bounded: bool = False) -> KindCluster:
    lab.__dict__["machine"] = machine
    software = {"kind": Path("/kind"), f"kwok@{KWOK}": Path("/kwok"), f"kwok-stages@{KWOK}": Path("/stages")}
    return KindCluster(lab, lab.spec.members[0], lab.members[0], software, {"1.35.4": "karmada-lab/node:v1.35.4-abc"}, bounded)


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


def test_kinds_last_output_is_in_the_error_and_in_the_log(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind_making, "Computer", lambda engine: ScriptedComputer())
    machine = Scripted({PS: "", ("docker", "rm"): "", ("/kind", "create"): ScriptedFailure(1, "ERROR: failed to init node with kubeadm")})

    with pytest.raises(ProvisionError, match="member1") as error:
        making(lab, machine).node()
    assert "kubeadm" in (error.value.detail or "")
    assert "kubeadm" in lab.run.log("member1/kind").read_text()
