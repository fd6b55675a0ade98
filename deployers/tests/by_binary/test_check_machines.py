"""Machines are asked before anything is brought: does this computer reach them, do they reach each other, can programs run there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.by_binary import check_machines
from deployers.by_binary.check_machines import check_steps, list_targets
from deployers.by_binary.deployer import ByBinary
from deployers.by_binary.installation import BinaryInstallation, assets_by_component, make_layout
from deployers.karmada import Karmada
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from lab import ports
from lab.cluster import Lab
from lab.errors import NotPossible
from lab.machines.machine import Machine
from lab.machines.route import Target
from lab.run import Run
from lab.spec import LabSpec, parse
from lab.tests.assets_fakes import Anything

NAMES = ["machine1", "machine2", "machine3"]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")


@pytest.fixture
def plane(tmp_path: Path) -> BinaryInstallation:
    """Karmada on three machines that are not made yet: each is at its name."""
    return a_plane(tmp_path, {"kind": "namespace", "count": 3})


def a_plane(folder: Path, machines: dict[str, Any]) -> BinaryInstallation:
    """Return Karmada on three of a lab's machines."""
    lab = {"machines": machines, "members": [{"name": "member1"}]}
    spec = KarmadaSpec.model_validate({"by_binary": {"machines": NAMES}})
    asked = {"lab": parse(LabSpec, lab, source="test").model_dump(mode="json"), "karmada": spec.model_dump(mode="json")}
    karmada = Karmada.open(Lab.open(Run.create("three", asked, root=folder)))
    return BinaryInstallation(karmada, make_layout(karmada, {name: folder / name for name in assets_by_component(spec)}))


def break_routes(monkeypatch: pytest.MonkeyPatch, *, caller: str = "", address: str = "") -> list[tuple[str, set[str]]]:
    """Have packets from a machine not reach an address; return the list of who asked for which addresses."""
    asked: list[tuple[str, set[str]]] = []

    def find(machine: Machine, targets: set[Target]) -> dict[Target, str]:
        asked.append((machine.name, {at for at, _ in targets}))
        return {target: "no answer within 5 s" for target in targets if machine.name == caller and target[0] == address}

    monkeypatch.setattr(check_machines, "find_unreached", find)
    return asked


def test_each_machine_is_asked_for_the_others_and_by_this_computer(plane: BinaryInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = break_routes(monkeypatch)
    for step in check_steps(plane):
        step.action()

    assert asked == [each for name in NAMES for each in (("local", {name}), (name, {*NAMES} - {name}))]


@pytest.mark.parametrize("caller", ["machine2", "local"])
def test_a_machine_that_is_not_reached_is_refused_with_both_names(
    plane: BinaryInstallation, monkeypatch: pytest.MonkeyPatch, caller: str
) -> None:
    break_routes(monkeypatch, caller=caller, address="machine3")

    steps = {step.name: step for step in check_steps(plane)}
    asking = steps[f"karmada/{'machine3' if caller == 'local' else caller}-checked"]
    with pytest.raises(NotPossible, match="machine3") as refused:
        asking.action()
    assert {"machine2": "machine2", "local": "this computer"}[caller] in refused.value.what
    assert refused.value.remedy


def test_machines_call_only_servers_and_this_computer_every_port(plane: BinaryInstallation) -> None:
    by_port = {number: use for use, number in plane.layout.ports.items()}
    among = {by_port[port] for _, port in list_targets(plane, ["machine2"], among=True)}

    servers = {f"{name}.https" for name in ("karmada-apiserver-2", "karmada-webhook-2", "karmada-aggregated-apiserver-2")}
    assert among == {"etcd-2.client", "etcd-2.peer", *servers}
    assert {"karmada-scheduler-2.metrics", "haproxy.https"} <= {by_port[port] for _, port in list_targets(plane, ["machine2"])}


def test_hosts_of_the_user_are_asked_with_the_ports_of_karmada(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_routes(monkeypatch)
    asked: list[tuple[str, str, set[int]]] = []
    monkeypatch.setattr(check_machines, "check_host", lambda machine, folder, ports: asked.append((machine.name, folder, ports)))
    for step in check_steps(a_plane(tmp_path / "made", {"kind": "namespace", "count": 3})):
        step.action()
    assert asked == [], "machines that the lab made are empty"
    hosts = [{"name": name, "address": f"10.0.0.{number}"} for number, name in enumerate(NAMES, 1)]
    plane = a_plane(tmp_path / "given", {"kind": "ssh", "hosts": hosts})
    for step in check_steps(plane):
        step.action()

    assert [(name, folder) for name, folder, _ in asked] == [(name, "/var/lib/karmada-lab") for name in NAMES]
    assert plane.layout.ports["etcd-2.peer"] in asked[1][2]
    assert plane.layout.ports["etcd-2.peer"] not in asked[0][2]


def test_a_plane_of_this_computer_asks_no_machine(tmp_path: Path) -> None:
    assert ByBinary().check_machines(a_karmada(tmp_path), Anything()) == []
