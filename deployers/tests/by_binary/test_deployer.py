from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers.bring_up import with_closing_steps
from deployers.by_binary.deployer import ByBinary
from deployers.by_binary.installation import BinaryInstallation, assets_by_component, make_layout
from deployers.karmada import Karmada, description_file
from deployers.names import JOINABLE, READY
from deployers.plane.layout import Layout
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import Server, a_karmada, a_release
from lab import ports
from lab.api import Api
from lab.steps import Step, compute_waves

EVERYTHING = {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}


class Anything(dict[str, Path]):
    def __missing__(self, ref: str) -> Path:
        return Path("/software") / ref


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


@dataclass(frozen=True)
class Offline(BinaryInstallation):
    """A control plane whose API server is a table."""

    server: Server = field(default_factory=Server)

    @property
    def api(self) -> Api:  # the real one is cached and opens a kubeconfig
        return self.server.api()


def a_plane(tmp_path: Path) -> Offline:
    karmada = a_karmada(tmp_path, {"addons": {"estimators": True}})
    release = a_release(tmp_path / "release")
    software = {name: release / name for name in assets_by_component(karmada.spec)}
    plane = Offline(karmada, make_layout(karmada, software))
    plane.identity()
    return plane


def test_applying_twice_changes_no_version_of_any_object(tmp_path: Path) -> None:
    plane = a_plane(tmp_path)
    actions: list[Callable[[], None]] = [
        plane.namespace,
        plane.crds,
        plane.access,
        plane.webhooks,
        lambda: plane.served_by("karmada-aggregated-apiserver"),
    ]

    def versions() -> dict[str, str]:
        for act in actions:
            act()
        return {path: item["metadata"]["resourceVersion"] for path, item in plane.server.objects.items()}

    first = versions()
    assert len(first) == 11
    assert "POST /api/v1/namespaces" in plane.server.sent
    assert versions() == first


def test_cluster_info_and_kubeconfig_name_an_address_that_agents_reach(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"load_balancer": "lb.example.org:6443"})
    plane = BinaryInstallation(karmada, make_layout(karmada, {}))
    plane.identity()

    assert plane.addresses.apiserver == "https://lb.example.org:6443"
    assert yaml.safe_load(karmada.kubeconfig.read_text())["current-context"] == "karmada-apiserver"
    assert plane.api.server == plane.layout.server() != karmada.api.server


def test_lease_is_part_of_being_ready_where_a_leader_is_elected(tmp_path: Path) -> None:
    without = {"karmada-scheduler": {"flags": {"leader-elect": "false"}}}
    karmada = a_karmada(tmp_path, {"components": without})
    plane = BinaryInstallation(karmada, make_layout(karmada, Anything()))

    proven = {part.name.removeprefix("karmada/") for part in plane.programs if part.proof}
    assert proven == {"kube-controller-manager", "karmada-controller-manager"}


def test_removing_takes_karmada_away_and_leaves_the_clusters(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path)
    run = karmada.run
    BinaryInstallation(karmada, make_layout(karmada, {})).identity()
    run.folder("data", "karmada", "etcd")
    run.record("karmada", "crds", {})
    description_file(run).write_text("{}")
    member = run.folder("pki", "member1")

    for _ in range(2):
        ByBinary().remove(karmada)

        assert not (run.path / "pki/karmada").exists()
        assert not (run.path / "data/karmada").exists()
        assert not karmada.kubeconfig.exists()
        assert run.records("karmada") == {}
        assert member.is_dir()


def test_layout_names_a_port_for_every_use(tmp_path: Path) -> None:
    layout: Layout = make_layout(a_karmada(tmp_path), {})

    assert len(set(layout.ports.values())) == len(layout.ports) > 10
