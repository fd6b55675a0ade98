"""Karmada's programs on machines: where each runs, what is brought there, and how balancers lead from one machine to all."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from deployers.by_binary import balancer, machines
from deployers.by_binary.deployer import ByBinary
from deployers.by_binary.installation import BinaryInstallation, assets_by_component, make_layout
from deployers.karmada import Karmada
from deployers.spec import ON_EACH_MACHINE, KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from lab import ports
from lab.machines.placement import Placement
from lab.machines.scripted import Scripted
from lab.spec import LabSpec
from lab.steps import Step, compute_waves

NAMES = ["machine1", "machine2", "machine3"]
ADDONS = {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}


def cached(folder: Path, karmada: Karmada) -> dict[str, Path]:
    """Return the programs of a release, each in the cache."""
    return {name: folder / "cache" / "assets" / name for name in assets_by_component(karmada.spec)}


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")
    monkeypatch.setenv("KARMADA_LAB_CACHE", str(tmp_path / "cache"))


def a_plane(folder: Path, **table: Any) -> BinaryInstallation:
    karmada = a_karmada(folder, {"by_binary": {"machines": NAMES}, **table})
    return BinaryInstallation(karmada, make_layout(karmada, cached(folder, karmada)))


def check(machines_of: list[str], lab: dict[str, Any], **karmada: Any) -> list[str]:
    asked = LabSpec.model_validate({"members": [{"name": "member1", "machine": "machine4"}], **lab})
    members = [{"name": member.name, "mode": member.mode} for member in asked.members]
    by_binary = {"machines": machines_of, **karmada.pop("by_binary", {})}
    return ByBinary().check(KarmadaSpec.model_validate({"members": members, "by_binary": by_binary, **karmada}), asked)


FOUR = {"machines": {"kind": "namespace", "count": 4}}


def test_each_machine_has_one_of_each_unless_the_spec_says_otherwise() -> None:
    spec = KarmadaSpec.model_validate(
        {"by_binary": {"machines": NAMES}, "components": {"karmada-scheduler": {"replicas": 1, "flags": {"v": "4"}}}}
    )

    assert spec.etcd.members == 3
    several = {name for name in ON_EACH_MACHINE if spec.settings(name).replicas == 3}
    assert several == {*ON_EACH_MACHINE} - {"karmada-scheduler", "karmada-descheduler"}
    assert KarmadaSpec.model_validate(spec.model_dump(mode="json")) == spec, "a run keeps the spec with its defaults"


@pytest.mark.parametrize(("names", "members"), [([], 1), (["a"], 1), (["a", "b"], 1), (NAMES, 3), ([*NAMES, "d"], 3)])
def test_etcd_has_three_members_where_there_are_three_machines(names: list[str], members: int) -> None:
    assert KarmadaSpec.model_validate({"by_binary": {"machines": names}}).etcd.members == members


def test_programs_run_on_machines_in_turn_with_the_paths_there(tmp_path: Path) -> None:
    plane = a_plane(tmp_path, addons=ADDONS)
    by_name = {part.name: part for part in plane.programs}

    assert {part.machine for part in plane.programs} == {*NAMES}
    second = by_name["karmada/etcd-2"]
    assert second.machine == "machine2"
    assert second.flags["listen-client-urls"] == f"https://machine2:{plane.layout.ports['etcd-2.client']}"
    assert str(plane.run.path) not in " ".join(word for part in plane.programs for word in part.argv)
    assert str(second.binary) == "/var/lib/karmada-lab/cache/assets/etcd"
    assert {part.needs[0] for part in plane.programs if part.kind == "karmada-scheduler"} == {
        f"karmada/{name}" for name in ("haproxy", "haproxy-2", "haproxy-3")
    }


def test_every_need_is_a_step(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"by_binary": {"machines": NAMES}, "addons": ADDONS})
    made = ByBinary().install(karmada, {asset: tmp_path / asset for asset in assets_by_component(karmada.spec).values()})

    waves = compute_waves([*made, Step("member1", lambda: None)])
    assert {machines.bring_step(name) for name in NAMES} <= {step.name for wave in waves for step in wave}


def test_a_balancer_leads_to_the_servers_of_all_machines(tmp_path: Path) -> None:
    plane = a_plane(tmp_path, addons=ADDONS, by_binary={"machines": NAMES, "virtual_address": "10.0.0.99"})
    balancer.configure(plane.spec, plane.layout)
    text, port = balancer.configuration("haproxy-2", plane.layout).read_text(), plane.layout.ports

    for line in (
        f"bind 127.0.0.1:{port['haproxy.https']}",
        f"bind machine2:{port['haproxy.https']}",
        f"bind 10.0.0.99:{port['haproxy.https']} transparent",
        f"bind 127.0.0.1:{port['haproxy.karmada-webhook']}",
        f"server karmada-apiserver-3 machine3:{port['karmada-apiserver-3.https']}",
        f"server karmada-search machine1:{port['karmada-search.https']}",
        f"bind machine2:{port['haproxy.health']}",
    ):
        assert line in text, line
    assert str(plane.run.path) not in text


def test_users_call_the_virtual_address_or_the_first_machine(tmp_path: Path) -> None:
    port = (plane := a_plane(tmp_path)).layout.ports["haproxy.https"]
    assert plane.users_server == f"https://machine1:{port}"
    virtual = a_karmada(tmp_path, {"by_binary": {"machines": NAMES, "virtual_address": "10.0.0.99"}}, run_id="virtual")
    assert BinaryInstallation(virtual, make_layout(virtual, {})).users_server.startswith("https://10.0.0.99:")


@pytest.mark.parametrize(
    ("names", "asked", "karmada", "key"),
    [
        (["machine1", "machin2"], FOUR, {}, "by_binary.machines[1]: this lab has no machine 'machin2'; did you mean 'machine2'?"),
        (["machine1", "machine1"], FOUR, {}, "by_binary.machines[1]: 'machine1' is named twice"),
        (["machine1"], {}, {}, "by_binary.machines[0]: this lab has no machine 'machine1'; add a table [machines]"),
        ([], FOUR, {"by_binary": {"virtual_address": "10.0.0.9"}}, "by_binary.virtual_address: "),
        (["machine1"], FOUR, {"load_balancer": "lb:6443"}, "load_balancer: "),
        (["machine1"], {**FOUR, "members": [{"name": "member1"}]}, {}, "by_binary.machines: member1 listens on the loopback"),
        (["machine1"], {**FOUR, "members": [{"name": "member1", "mode": "pull"}]}, {}, ""),
        (NAMES, FOUR, {}, ""),
    ],
    ids=["near-name", "twice", "no-machines", "virtual", "load-balancer", "push-here", "pull-here", "fine"],
)
def test_machines_refuse_unsupported_keys_before_anything_is_created(
    names: list[str], asked: dict[str, Any], karmada: dict[str, Any], key: str
) -> None:
    found = check(names, asked, **karmada)

    assert (len(found), found[0][: len(key)] if found else "") == ((1, key) if key else (0, ""))


def packed(machine: Scripted) -> set[str]:
    """Return the names of the files that were copied to a machine."""
    archives = [io.BytesIO(done.input) for done in machine.done if done.input]
    return {Path(name).name for archive in archives for name in tarfile.open(fileobj=archive).getnames()}


def place(karmada: Karmada, machine: Scripted) -> Placement:
    return Placement(karmada.run, "machine1", machine, Path("/there/runs/a"), Path("/there/cache"), "10.0.0.1")


def test_the_authority_of_etcd_and_what_administrators_use_stay_here(tmp_path: Path) -> None:
    karmada, machine = a_karmada(tmp_path), Scripted(strict=False)
    BinaryInstallation(karmada, make_layout(karmada, {})).identity()

    machines.push_identity(karmada.run, [place(karmada, machine)])

    names = packed(machine)
    assert {"karmada-apiserver.key", "etcd-peer.key", "karmada-webhook.kubeconfig", "ca.key", "audit-policy.yaml"} <= names
    assert names.isdisjoint(machines.STAY_HERE)


def test_balancers_run_with_their_own_libraries(tmp_path: Path) -> None:
    parts = [part for part in a_plane(tmp_path).programs if part.kind == balancer.NAME]

    assert len(parts) == 3
    for part in parts:
        folder = str(part.binary.parent)
        assert folder.startswith("/var/lib/karmada-lab/cache/portable/haproxy-")
        assert part.args[:3] == ("--library-path", folder, f"{folder}/haproxy")
