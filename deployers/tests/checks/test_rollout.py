"""In what order each installer of pods is brought to another release, what it refuses, and how an agent that is a pod follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployers.by_operator.deployer import OperatorInstallation
from deployers.day2.upgrade import CanUpgrade
from deployers.deployer import get_deployer
from deployers.pods import agent
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host, deployment
from deployers.tests.yaml_fakes import manifests_of_record
from lab.cluster import Cluster
from lab.errors import NotPossible
from lab.steps import Step

Json = dict[str, Any]
EARLIER, LATER = "1.17.1", "1.18.2"
OF_KUBERNETES = ["etcd", "karmada-apiserver", "kube-controller-manager"]
OF_KARMADA = ["crds", *(f"karmada-{name}" for name in ("webhook", "aggregated-apiserver", "controller-manager", "scheduler"))]


class Anything(dict[str, Path]):
    def __missing__(self, ref: str) -> Path:
        return Path("/software") / ref


def upgrading(folder: Path, by: str, table: Json, *, back: bool = False) -> list[Step]:
    one, other = (LATER, EARLIER) if back else (EARLIER, LATER)
    karmada = a_karmada(folder, {"deployer": by, "release": one, **table})
    spec = KarmadaSpec.model_validate({**karmada.spec.model_dump(mode="json"), "release": other})
    manifests_of_record(folder)
    software = Anything({f"{tree}@{other}": folder / tree for tree in ("karmada-manifests", "karmada-crds")})
    own = get_deployer(by)
    assert isinstance(own, CanUpgrade)
    return own.upgrade(karmada, spec, software, back=back)


def names(steps: list[Step]) -> list[str]:
    assert [step.needs for step in steps] == [(), *((step.name,) for step in steps[:-1])], "each waits for the one before"
    return [step.name for step in steps]


PULLING = {"members": [{"name": "member1", "mode": "pull"}]}
ESTIMATED = {"addons": {"estimators": True}}


@pytest.mark.parametrize(
    ("by", "table", "order"),
    [
        ("by_yaml", {}, ["images", *OF_KUBERNETES, *OF_KARMADA, "settled"]),
        (
            "by_yaml",
            PULLING | ESTIMATED,
            ["images", *OF_KUBERNETES, *OF_KARMADA, "karmada-scheduler-estimator", "karmada-agent", "settled"],
        ),
        ("by_chart", {}, ["images", "karmada"]),
        ("by_chart", PULLING | ESTIMATED, ["images", "karmada", "karmada-scheduler-estimator", "karmada-agent"]),
        ("by_operator", ESTIMATED, ["images", "karmada-operator", "karmada", "karmada-scheduler-estimator", "settled"]),
    ],
)
def test_images_come_first_and_agents_last(by: str, table: Json, order: list[str], tmp_path: Path) -> None:
    assert names(upgrading(tmp_path, by, table)) == order


def test_manifests_go_back_in_reverse_and_what_puts_crds_back_does_not(tmp_path: Path) -> None:
    assert names(upgrading(tmp_path / "yaml", "by_yaml", PULLING, back=True)) == [
        "images",
        "karmada-agent",
        *OF_KARMADA[::-1],
        *OF_KUBERNETES[::-1],
        "settled",
    ]
    for by in ("by_chart", "by_operator"):
        with pytest.raises(NotPossible, match=by) as refused:
            upgrading(tmp_path / by, by, {}, back=True)
        assert "the earlier CRDs" in str(refused.value.where)


def test_images_of_the_release_before_are_not_taken_for_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(deployment("karmada-karmada-webhook", ["/bin/karmada-webhook"]))
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: host.api()))
    made = OperatorInstallation(a_karmada(tmp_path, {"deployer": "by_operator"}), Anything())

    assert "karmada-webhook is of hub/karmada-karmada-webhook:1, not yet of docker.io/karmada/" in str(made.earlier())
    (there,) = host.lists["/apis/apps/v1/namespaces/karmada-system/deployments"]
    there["spec"]["template"]["spec"]["containers"][0]["image"] = made.uses["karmada-webhook"].name
    assert made.earlier() is None


class Member(Host):
    """A member whose agent's Deployment can be patched."""

    patched: Json | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            self.patched = json.loads(request.content)
            return httpx.Response(200, json={})
        return super().answer(request)


def test_an_agent_that_is_a_pod_gets_the_image_of_the_release_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member = Member(deployment("karmada-agent", ["/bin/karmada-agent", "--cluster-name=member1"]))
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: member.api()))
    ready: list[str] = []
    monkeypatch.setattr(agent, "wait_member_ready", lambda karmada, name: ready.append(name))

    agent.replace_agents(a_karmada(tmp_path, {"deployer": "by_yaml", **PULLING}))

    (container,) = (member.patched or {})["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"docker.io/karmada/karmada-agent:v{LATER}"
    assert container["command"] == ["/bin/karmada-agent", "--cluster-name=member1"]
    assert ready == ["member1"]
