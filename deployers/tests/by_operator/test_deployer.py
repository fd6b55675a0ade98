"""The Karmada object that a spec becomes: read it in golden/by_operator.txt; a change of a key shows there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deployers.by_operator import deployer as by_operator
from deployers.by_operator import karmada_object
from deployers.by_operator.deployer import OperatorInstallation, not_ready
from deployers.by_operator.karmada_object import ALWAYS
from deployers.deployer import get_deployer
from deployers.plane import external
from deployers.pods import installation
from deployers.pods.images import by_component, images_of, keep_path
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada, write
from deployers.tests.host_fakes import Host, deployment
from deployers.tests.transcripts import CHANGED, added_lines
from lab.cluster import Cluster
from lab.errors import NotReady, ProvisionError
from lab.spec import LabSpec, parse
from lab.steps import Step, compute_waves
from lab.wait import NotYet

GOLDEN = Path(__file__).parents[1] / "golden" / "by_operator.txt"
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
    monkeypatch.setattr(external, "balancer_errors", lambda address: [])


def spec_of(**table: Any) -> KarmadaSpec:
    return KarmadaSpec.model_validate({"members": [{"name": "member1"}], **table})


def render(**table: Any) -> str:
    spec = spec_of(**table)
    uses = by_component(images_of(spec, keep_path, *ALWAYS, "karmada-operator", version="1.18.2"))
    return yaml.safe_dump(karmada_object.karmada_object(spec, uses), sort_keys=False)


def test_karmada_objects_are_those_of_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    text = "\n".join(f"# {name}\n{render(**table)}" for name, table in PARTS.items())

    golden(GOLDEN, text)


def test_a_changed_flag_changes_the_transcript() -> None:
    assert added_lines(render(), render(**CHANGED)) == ["extraArgs:", "cluster-failure-threshold: 77s"]


def found(workers: int = 0, **table: Any) -> str:
    host = {"workers": [{"count": workers}]} if workers else {}
    lab = parse(LabSpec, {"provider": "kind", "host": host, "members": [{"name": "member1"}]}, source="test")
    return "\n".join(get_deployer("by_operator").check(spec_of(**table), lab))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"members": [{"name": "member1", "mode": "pull"}]}, "members.pull: the operator makes neither cluster-info"),
        ({"load_balancer": "10.0.0.9:443"}, "load_balancer: the operator writes the address of a node"),
        ({"components": {"etcd": {"flags": {"snapshot-count": "1"}}}}, "components.etcd.flags: the Karmada object has no place for it"),
        ({"components": {"karmada-webhook": {"env": {"A": "b"}}}}, "components.karmada-webhook.env"),
        ({"components": {"karmada-apiserver": {"replicas": 2}}}, "one pod of karmada-apiserver to a node"),
        ({"by_karmadactl": {"config_file": True}}, "by_karmadactl.config_file: only"),
    ],
)
def test_what_the_object_cannot_carry_is_refused_with_the_reason(table: dict[str, Any], said: str) -> None:
    assert said in found(**table)


def test_nothing_is_in_the_way_of_what_it_can() -> None:
    assert found() == ""
    assert found(**{**PARTS["everything"], "certificates": {"days": 30}}) == ""
    assert found(workers=1, components={"karmada-apiserver": {"replicas": 2}}) == ""


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

    assert [sorted(each["data"]) for each in karmada_object.secrets_of(spec)] == [["ca.crt", "tls.crt", "tls.key"]]


class Anything(dict[str, Path]):
    def __missing__(self, ref: str) -> Path:
        return Path("/software") / ref


def test_members_join_beside_the_operator_and_its_names_are_waited_for(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"deployer": "by_operator", "addons": {"estimators": True}})
    made = {step.name: step for step in get_deployer("by_operator").install(karmada, Anything())}
    compute_waves([*made.values(), Step("host", lambda: None), Step("member1", lambda: None)])

    assert made["karmada/joinable"].needs == made["karmada/object"].needs == ("karmada/operator",)
    assert set(made["karmada/pods"].needs) == {"karmada/object", "karmada/karmada-scheduler-estimator-member1"}
    assert OperatorInstallation(karmada, Anything()).workloads() == [
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

    with pytest.raises(NotYet, match="secret karmada-admin-config"):
        OperatorInstallation(a_karmada(tmp_path, {"deployer": "by_operator"}), Anything()).kubeconfig()


def test_what_was_there_before_is_not_ours_to_prove_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    host.lists["/apis/rbac.authorization.k8s.io/v1/clusterroles"].append({"metadata": {"name": "karmada-of-others"}})
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))
    karmada = a_karmada(tmp_path, {"deployer": "by_operator"})
    installation.begin(karmada)

    installation.wait_removed(karmada, within=0.0)


INVALID = {
    "conditions": [{"type": "Ready", "status": "False", "reason": "ValidationError", "message": "validation errors: name must be x"}]
}


class Operators(Host):
    """A host cluster whose operator says `status` of the object; to apply it makes it of `generation`."""

    def __init__(self, before: dict[str, Any] | None, *, generation: int, status: dict[str, Any]) -> None:
        super().__init__(deployment("karmada-operator", ["karmada-operator"]))
        self.item = before
        self.generation, self.status = generation, status

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/apis/operator.karmada.io/v1alpha1":
            return httpx.Response(200, json={"resources": [{"kind": "Karmada", "name": "karmadas", "namespaced": True}]})
        if path.endswith("/karmadas/karmada"):
            if request.method == "PATCH":
                self.item = {"metadata": {"name": "karmada", "generation": self.generation}, "status": self.status}
            return httpx.Response(200, json=self.item) if self.item else super().answer(request)
        return super().answer(request)


def of(tmp_path: Path, host: Operators, monkeypatch: pytest.MonkeyPatch) -> OperatorInstallation:
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))
    monkeypatch.setattr(by_operator, "WITHIN", 0.0)
    return OperatorInstallation(a_karmada(tmp_path, {"deployer": "by_operator"}), Anything())


def test_an_invalid_object_fails_at_once_with_the_operators_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = of(tmp_path, Operators(None, generation=1, status=INVALID), monkeypatch)

    with pytest.raises(ProvisionError, match="validation errors"):
        made.object()


def test_what_was_invalid_before_the_object_was_changed_is_given_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {"metadata": {"name": "karmada", "generation": 1}, "status": INVALID}

    with pytest.raises(NotReady):
        of(tmp_path / "changed", Operators(before, generation=2, status=INVALID), monkeypatch).object()
    with pytest.raises(ProvisionError, match="Karmada object"):
        of(tmp_path / "same", Operators(before, generation=1, status=INVALID), monkeypatch).object()
