"""The Karmada object that a spec becomes: read it in golden/by_operator.txt; a change of a key shows there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from deployers.by_operator import deployer as by_operator
from deployers.by_operator.deployer import OperatorInstallation, not_ready
from deployers.deployer import get_deployer
from deployers.plane import external
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host, deployment
from deployers.tests.installer_fakes import PARTS, spec_of
from lab.cluster import Cluster
from lab.errors import NotReady, ProvisionError
from lab.spec import LabSpec, parse
from lab.steps import Step, compute_waves
from lab.tests.assets_fakes import Anything
from lab.wait import NotYet

INVALID = {
    "conditions": [{"type": "Ready", "status": "False", "reason": "ValidationError", "message": "validation errors: name must be x"}]
}


@pytest.fixture(autouse=True)
def balancers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "balancer_errors", lambda address: [])


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


def test_images_of_the_release_before_are_not_taken_for_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(deployment("karmada-karmada-webhook", ["/bin/karmada-webhook"]))
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))
    made = OperatorInstallation(a_karmada(tmp_path, {"deployer": "by_operator"}), Anything())

    assert "karmada-webhook is of hub/karmada-karmada-webhook:1, not yet of docker.io/karmada/" in str(made.earlier())
    (there,) = host.lists["/apis/apps/v1/namespaces/karmada-system/deployments"]
    there["spec"]["template"]["spec"]["containers"][0]["image"] = made.uses["karmada-webhook"].name
    assert made.earlier() is None
