"""The order in which upstream's manifests are applied, and what of a spec they cannot carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.by_yaml.deployer import ByYaml
from deployers.names import JOINABLE, READY
from deployers.spec import KarmadaSpec
from deployers.tests.by_binary.test_deployer import before
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.yaml_fakes import manifests_of_record
from deployers.up.bring_up import with_closing_steps
from lab.steps import Step, compute_waves

Json = dict[str, Any]
EVERYTHING = {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}


def steps(folder: Path, table: Json | None = None) -> dict[str, Step]:
    karmada = a_karmada(folder, table)
    manifests_of_record(folder)
    software = {f"{tree}@1.18.2": folder / tree for tree in ("karmada-manifests", "karmada-crds")}
    made = with_closing_steps(karmada, ByYaml().install(karmada, software))
    compute_waves([*made, *(Step(name, lambda: None) for name in ("host", "member1"))])
    return {step.name: step for step in made}


def test_hooks_come_after_what_answers_them_and_controllers_after_what_they_watch(tmp_path: Path) -> None:
    made = steps(tmp_path)

    assert "karmada/karmada-webhook" in before(made, "karmada/webhooks")
    for controller in ("karmada/karmada-controller-manager", "karmada/karmada-scheduler"):
        assert {"karmada/crds", "karmada/webhooks", "karmada/cluster-api"} <= before(made, controller)
    assert "karmada/etcd" in before(made, "karmada/karmada-apiserver")


def test_members_can_be_joined_before_controllers_are_there(tmp_path: Path) -> None:
    assert not {name for name in before(steps(tmp_path), JOINABLE) if name.endswith(("controller-manager", "scheduler"))}


def test_ready_means_everything(tmp_path: Path) -> None:
    made = steps(tmp_path, {"addons": EVERYTHING})

    assert before(made, READY) == made.keys() - {READY, "karmada/description"}
    assert {"karmada/estimators", "karmada/search-api", "karmada/metrics-api", "karmada/karmada-descheduler"} <= made.keys()
    assert "member1" in made["karmada/estimators"].needs


def test_an_external_etcd_is_not_started(tmp_path: Path) -> None:
    external = {"servers": ["https://10.1.2.3:2379"], "ca": "/a", "cert": "/b", "key": "/c"}

    assert "karmada/etcd" not in steps(tmp_path, {"etcd": {"external": external}})


def test_an_etcd_of_the_labs_own_comes_before_the_api_server_and_after_its_keys(tmp_path: Path) -> None:
    made = steps(tmp_path, {"etcd": {"members": 3}})

    assert "karmada/etcd" in before(made, "karmada/karmada-apiserver")
    assert {"karmada/identity", "karmada/host-namespace", "host/images"} <= before(made, "karmada/etcd")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"components": {"karmada-apiserver": {"replicas": 2}}}, "components.karmada-apiserver.replicas: upstream's manifest"),
        (
            {"profile": "e2e", "members": [{"name": "member1", "mode": "pull"}]},
            "profile e2e: karmadactl register cannot set --feature-gates on the agent of member1",
        ),
    ],
)
def test_what_the_manifests_cannot_carry_is_refused(tmp_path: Path, table: Json, said: str) -> None:
    karmada = a_karmada(tmp_path)
    spec = KarmadaSpec.model_validate({"members": [{"name": "member1"}], **table})

    (refused,) = ByYaml().check(spec, karmada.lab.spec)
    assert refused.startswith(said)
    assert ByYaml().check(karmada.spec, karmada.lab.spec) == []
