"""The Karmada object that a spec becomes: read it in golden/by_operator.txt; a change of a key shows there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers import deployer, in_pods, karmada_object, outside
from deployers.by_operator import Installation, not_ready
from deployers.images import by_component, moved, needed
from deployers.karmada_object import ALWAYS
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada, write
from deployers.tests.host_fakes import Host
from lab.cluster import Cluster
from lab.spec import LabSpec, parse
from lab.steps import Step, ordered
from lab.wait import NotYet

GOLDEN = Path(__file__).parent / "golden" / "by_operator.txt"
EXTERNAL = {"servers": ["https://10.0.0.7:2379"], "ca": "/etcd/ca.crt", "cert": "/etcd/c.crt", "key": "/etcd/c.key"}
PARTS: dict[str, dict[str, Any]] = {
    "default": {},
    "everything": {
        "profile": "e2e",
        "registry": "registry.example.org:5000/lab",
        "certificates": {"ca": {"cert": "/ca.crt", "key": "/ca.key"}, "hosts": ["karmada.example.org"], "days": 30},
        "components": {
            "karmada-apiserver": {"flags": {"max-requests-inflight": "1000"}},
            "karmada-scheduler": {"replicas": 2, "feature_gates": {"PriorityBasedScheduling": True}},
        },
        "addons": {"search": True, "descheduler": True, "metrics_adapter": True},
    },
    "external etcd": {"etcd": {"external": EXTERNAL}, "addons": {"search": True}},
}


@pytest.fixture(autouse=True)
def balancers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "balancer_obstacles", lambda address: [])


def spec_of(**table: Any) -> KarmadaSpec:
    return KarmadaSpec.model_validate({"members": [{"name": "member1"}], **table})


def told(**table: Any) -> str:
    spec = spec_of(**table)
    uses = by_component(needed(spec, moved, *ALWAYS, "karmada-operator", version="1.18.2"))
    return yaml.safe_dump(karmada_object.karmada_object(spec, uses), sort_keys=False)


def test_objects_are_the_golden_ones() -> None:
    text = "\n".join(f"# {name}\n{told(**table)}" for name, table in PARTS.items())

    assert text == GOLDEN.read_text(), "if that is meant: write this text to the golden file"


def found(**table: Any) -> str:
    lab = parse(LabSpec, {"members": [{"name": "member1"}]}, source="test")
    return "\n".join(deployer("by_operator").check(spec_of(**table), lab))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"members": [{"name": "member1", "mode": "pull"}]}, "members.pull: the operator makes neither cluster-info"),
        ({"load_balancer": "10.0.0.9:443"}, "load_balancer: the operator writes the address of a node"),
        ({"components": {"etcd": {"flags": {"snapshot-count": "1"}}}}, "components.etcd.flags: the Karmada object has no place for it"),
        ({"components": {"karmada-webhook": {"env": {"A": "b"}}}}, "components.karmada-webhook.env"),
        ({"components": {"karmada-apiserver": {"replicas": 2}}}, "one pod of karmada-apiserver to a node"),
        ({"etcd": {"members": 3}}, "etcd.members: the operator's Service of etcd's peers"),
        ({"config_file": True}, "config_file: only karmadactl init has one"),
    ],
)
def test_what_the_object_cannot_carry_is_refused_with_the_reason(table: dict[str, Any], said: str) -> None:
    assert said in found(**table)


def test_nothing_is_in_the_way_of_what_it_can() -> None:
    assert found() == ""
    assert found(**{**PARTS["everything"], "certificates": {"days": 30}}) == ""


def test_the_operators_manifests_are_upstreams_with_the_archive_where_it_looks(tmp_path: Path) -> None:
    container = {"name": "karmada-operator", "image": "docker.io/karmada/karmada-operator:latest", "command": ["/bin/karmada-operator"]}
    deployment = {"kind": "Deployment", "metadata": {"name": "o"}, "spec": {"template": {"spec": {"containers": [container]}}}}
    write(tmp_path / "deploy/a-deployment.yaml", deployment)
    write(tmp_path / "deploy/z-role.yaml", {"kind": "ClusterRole", "metadata": {"name": "o"}})
    write(tmp_path / "crds/crd.yaml", {"kind": "CustomResourceDefinition", "metadata": {"name": "karmadas"}})

    made = karmada_object.operator_manifests(tmp_path, "docker.io/karmada/karmada-operator:v1.18.2")

    assert [each["kind"] for each in made] == ["CustomResourceDefinition", "ClusterRole", "Deployment"]
    pod = made[2]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"].endswith(":v1.18.2")
    assert [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]] == [
        karmada_object.CACHE,
        f"{karmada_object.CACHE}/crds.tar.gz",
    ]


def test_secrets_hold_the_files_that_the_spec_names(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(name)
    files = {name: str(tmp_path / name) for name in ("ca", "cert", "key")}
    spec = spec_of(etcd={"external": {"servers": ["https://a:1"], **files}})

    assert [sorted(each["data"]) for each in karmada_object.given_secrets(spec)] == [["ca.crt", "tls.crt", "tls.key"]]


class Anything(dict[str, Path]):
    def __missing__(self, ref: str) -> Path:
        return Path("/software") / ref


def test_members_join_beside_the_operator_and_its_names_are_waited_for(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"deployer": "by_operator", "addons": {"estimators": True}})
    made = {step.name: step for step in deployer("by_operator").install(karmada.lab, karmada.spec, Anything())}
    ordered([*made.values(), Step("host", lambda: None), Step("member1", lambda: None)])

    assert made["karmada/joinable"].needs == made["karmada/object"].needs == ("karmada/operator",)
    assert set(made["karmada/pods"].needs) == {"karmada/object", "karmada/karmada-scheduler-estimator-member1"}
    assert Installation(karmada, Anything()).workloads() == [
        "karmada-etcd",
        "karmada-apiserver",
        "karmada-kube-controller-manager",
        "karmada-aggregated-apiserver",
        "karmada-controller-manager",
        "karmada-scheduler",
        "karmada-webhook",
        "karmada-metrics-adapter",
        "karmada-operator",
        "karmada-scheduler-estimator-member1",
    ]


def test_an_operator_that_looked_at_an_older_object_is_waited_for() -> None:
    ready = [{"type": "Ready", "status": "True"}]

    assert not_ready({"status": {"conditions": ready}}, generation=2) is None
    assert not_ready({"status": {"conditions": ready, "observedGeneration": 1}}, generation=2) is not None
    failed = {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "no node"}]}}
    assert not_ready(failed, generation=1) == "Ready is False: no node"


def test_the_kubeconfig_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))

    with pytest.raises(NotYet, match="secret karmada-admin-config: not there yet"):
        Installation(a_karmada(tmp_path, {"deployer": "by_operator"}), Anything()).kubeconfig()


def test_what_was_there_before_is_not_ours_to_prove_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    host.lists["/apis/rbac.authorization.k8s.io/v1/clusterroles"].append({"metadata": {"name": "karmada-of-others"}})
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))
    karmada = a_karmada(tmp_path, {"deployer": "by_operator"})
    in_pods.begin(karmada)

    in_pods.until_gone(karmada, within=0.0)
