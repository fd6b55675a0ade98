from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.by_binary.deployer import ByBinary
from deployers.karmada import Karmada
from deployers.names import JOINABLE, READY
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from deployers.up.bring_up import with_closing_steps
from lab import ports
from lab.steps import Step, compute_waves
from lab.tests.assets_fakes import Anything

EVERYTHING = {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}


@pytest.fixture(autouse=True)
def reserved_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")


def steps(karmada: Karmada, *others: str) -> dict[str, Step]:
    """Return the steps of an installation; `others` stand for the steps of clusters. Their order is checked on the way."""
    made = with_closing_steps(karmada, ByBinary().install(karmada, Anything()))
    compute_waves([*made, *(Step(name, lambda: None) for name in others)])
    return {step.name: step for step in made}


def before(made: dict[str, Step], name: str) -> set[str]:
    """Return every step that has passed when this one begins."""
    needs = {need for need in made[name].needs if need in made}
    return needs.union(*(before(made, need) for need in needs)) if needs else needs


def test_hooks_come_after_what_answers_them_and_controllers_after_what_they_watch(tmp_path: Path) -> None:
    made = steps(a_karmada(tmp_path))

    assert "karmada/karmada-webhook" in before(made, "karmada/webhooks")
    for controller in ("karmada/karmada-controller-manager", "karmada/karmada-scheduler"):
        assert {"karmada/crds", "karmada/webhooks", "karmada/cluster-api", "karmada/leases"} <= before(made, controller)


def test_nothing_waits_for_the_host_cluster_and_joining_not_for_controllers(tmp_path: Path) -> None:
    made = steps(a_karmada(tmp_path))

    assert all(need.startswith("karmada/") for step in made.values() for need in step.needs)
    assert not {name for name in before(made, JOINABLE) if name.endswith(("controller-manager", "scheduler"))}


def test_ready_means_everything(tmp_path: Path) -> None:
    made = steps(a_karmada(tmp_path, {"addons": EVERYTHING, "etcd": {"members": 3}}), "member1")

    assert before(made, READY) == made.keys() - {READY, "karmada/description"}
    assert {"karmada/search-api", "karmada/metrics-api", "karmada/karmada-scheduler-estimator-member1", "karmada/etcd-3"} <= made.keys()


def test_an_estimator_waits_for_its_member(tmp_path: Path) -> None:
    made = steps(a_karmada(tmp_path, {"addons": EVERYTHING}), "member1")

    assert "member1" in made["karmada/karmada-scheduler-estimator-member1"].needs


def test_computing_steps_creates_nothing_but_the_reservation_of_ports(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path)
    steps(karmada)

    assert sorted(path.name for path in karmada.run.path.iterdir()) == ["records", "run.json"]
    assert list(karmada.run.records("ports")) == ["karmada"]


@pytest.mark.parametrize(
    ("table", "has", "has_not"),
    [
        (
            {},
            {"etcd", "kube-apiserver@1.35.4", "karmada-webhook@1.18.2", "karmada-crds@1.18.2", "karmadactl@1.18.2"},
            {"karmada-search@1.18.2"},
        ),
        ({"addons": {"search": True}, "release": "1.17.1"}, {"karmada-search@1.17.1"}, {"karmada-descheduler@1.17.1"}),
        ({"release": "/src/karmada"}, {"karmada-scheduler@/src/karmada", "karmada-manifests@/src/karmada"}, {"karmada-scheduler@1.18.2"}),
        ({"etcd": {"external": {"servers": ["https://a:1"], "ca": "/a", "cert": "/b", "key": "/c"}}}, {"karmadactl@1.18.2"}, {"etcd"}),
    ],
)
def test_only_the_software_that_is_needed(table: dict[str, Any], has: set[str], has_not: set[str]) -> None:
    software = set(ByBinary().software(KarmadaSpec.model_validate(table)))

    assert has <= software
    assert not has_not & software
