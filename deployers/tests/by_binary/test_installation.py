"""Steps of an installation of programs: idempotent, addressed from outside, and reversible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers.by_binary.deployer import ByBinary
from deployers.by_binary.installation import BinaryInstallation, assets_by_component, make_layout, may_lose_power
from deployers.karmada import description_file
from deployers.tests.control_plane_fakes import Server, a_karmada, a_release
from lab import ports
from lab.api import Api
from lab.spec import LabSpec
from lab.tests.assets_fakes import Anything


@pytest.fixture(autouse=True)
def reserved_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")


@dataclass(frozen=True)
class Offline(BinaryInstallation):
    """A control plane with a table in place of its API server."""

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


@pytest.mark.parametrize(
    ("machines", "waits"),
    [
        ({"kind": "ssh", "hosts": [{"name": "machine1", "address": "10.0.0.1"}]}, True),
        ({"kind": "vm", "count": 1}, True),
        ({"kind": "namespace", "count": 1}, False),
    ],
)
def test_etcd_waits_for_the_disk_of_machines_that_can_lose_their_power(machines: dict[str, Any], waits: bool) -> None:
    assert may_lose_power(LabSpec.model_validate({"members": [{"name": "member1"}], "machines": machines})) is waits
    assert not may_lose_power(LabSpec.model_validate({"members": [{"name": "member1"}]}))
