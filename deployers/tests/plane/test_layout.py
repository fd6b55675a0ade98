"""Which machine an instance of a component runs on, and by which address it is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.by_binary.installation import make_layout
from deployers.karmada import Karmada
from deployers.plane.layout import Layout, choose_place, estimator, etcds, open_places, reach_addresses, record_etcds
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from lab import ports
from lab.cluster import Lab
from lab.machines.placement import Placement
from lab.machines.scripted import Scripted
from lab.run import Run

MEMBERS = ("member-7", "member-2")


@pytest.fixture
def places(tmp_path: Path) -> tuple[Placement, ...]:
    run = Run.create("a", {"lab": {}}, root=tmp_path)
    return tuple(
        Placement(run, f"m{number}", Scripted(), Path("/there/runs/a"), Path("/there/cache"), f"10.0.0.{number}") for number in (1, 2, 3)
    )


@pytest.mark.parametrize(
    ("instance", "machine"),
    [
        ("etcd", "m1"),
        ("karmada/etcd-3", "m3"),
        ("karmada-scheduler-2", "m2"),
        ("karmada-scheduler-4", "m1"),
        (estimator("member-7"), "m1"),
        (estimator("member-2"), "m2"),
    ],
)
def test_instances_take_machines_in_turn(places: tuple[Placement, ...], instance: str, machine: str) -> None:
    place = choose_place(places, instance, MEMBERS)

    assert place
    assert place.name == machine


def test_without_machines_everything_is_on_loopback() -> None:
    layout = Layout(Path("/pki"), Path("/data"), {"karmada-apiserver.https": 1}, {})

    assert layout.place("etcd") is None
    assert layout.server() == layout.entrance == "https://127.0.0.1:1"
    assert layout.reached("karmada-webhook") == "karmada/karmada-apiserver"


def test_a_component_calls_the_balancer_of_its_own_machine(places: tuple[Placement, ...]) -> None:
    ports = {"haproxy.https": 1, "karmada-apiserver-2.https": 2}
    layout = Layout(Path("/pki"), Path("/data"), ports, {}, places=places)

    assert layout.entrance == "https://127.0.0.1:1"
    assert layout.server("karmada-apiserver-2") == "https://10.0.0.2:2"
    assert [layout.reached(f"karmada-webhook{suffix}") for suffix in ("", "-2")] == ["karmada/haproxy", "karmada/haproxy-2"]


def test_certificates_are_for_every_machine_and_the_virtual_address(places: tuple[Placement, ...]) -> None:
    spec = KarmadaSpec.model_validate({"by_binary": {"machines": ["m1"], "virtual_address": "10.0.0.99"}})

    assert reach_addresses(spec, places) == ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.99")
    assert [place.name for place in open_places(places[0].run, spec)] == ["m1"]


@pytest.fixture(autouse=True)
def reserved_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")


def test_layout_names_a_port_for_every_use(tmp_path: Path) -> None:
    layout: Layout = make_layout(a_karmada(tmp_path), {})

    assert len(set(layout.ports.values())) == len(layout.ports) > 10


@pytest.mark.parametrize("names", [["etcd"], ["etcd", "etcd-2", "etcd-3"], ["etcd-2", "etcd-3"], ["etcd-3"], ["etcd", "etcd-3"]])
def test_a_run_records_exactly_the_members_there_are(tmp_path: Path, names: list[str]) -> None:
    changed = record_etcds(a_karmada(tmp_path), names)

    again = Karmada.open(Lab.open(Run.load("golden", root=tmp_path)))
    assert etcds(changed) == etcds(again) == names
    assert again.spec.etcd.members == (1 if names == ["etcd"] else 3)
