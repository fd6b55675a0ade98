"""How an upstream installer sees the lab's own etcd, and which specs have one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.deployer import RunsInPods, get_deployer
from deployers.pods.etcd.install import for_installer, member_count, record_members
from deployers.pods.etcd.names import PREFIX, SERVER, runs_own_etcd
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from lab.spec import LabSpec, parse

IN_PODS = ("by_chart", "by_karmadactl", "by_operator", "by_yaml")


@pytest.mark.parametrize(
    ("etcd", "own"), [({}, False), ({"members": 1}, False), ({"members": 3}, True), ({"storage": {}}, True), ({"storage": None}, False)]
)
def test_three_members_or_a_volume_make_it_the_labs_own(etcd: dict[str, Any], own: bool) -> None:
    assert runs_own_etcd(KarmadaSpec.model_validate({"etcd": etcd})) is own


@pytest.mark.parametrize("deployer", IN_PODS)
@pytest.mark.parametrize("etcd", [{"members": 3}, {"storage": {"size": "1Gi"}}])
def test_every_deployer_in_pods_carries_it_and_loads_its_image(deployer: str, etcd: dict[str, Any]) -> None:
    spec = KarmadaSpec.model_validate({"deployer": deployer, "etcd": etcd, "members": [{"name": "member1"}]})
    lab = parse(LabSpec, {"provider": "kind", "members": [{"name": "member1"}]}, source="test")
    made = get_deployer(deployer)

    assert made.check(spec, lab) == []
    assert isinstance(made, RunsInPods)
    assert "etcd" in {use.component for use in made.images(spec, version="1.18.2")}


def test_an_installer_sees_an_external_one_at_an_address_that_does_not_change(tmp_path: Path) -> None:
    seen = for_installer(a_karmada(tmp_path, {"deployer": "by_yaml", "etcd": {"members": 3}})).spec

    assert seen.etcd.external is not None
    assert (seen.etcd.external.servers, seen.etcd.external.prefix) == ((SERVER,), PREFIX)
    assert not seen.has("etcd")


def test_upstreams_own_is_left_alone(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"deployer": "by_yaml"})

    assert for_installer(karmada) is karmada


@pytest.mark.parametrize(("count", "members"), [(1, 1), (2, 3), (3, 3)])
def test_the_spec_follows_what_was_recorded(tmp_path: Path, count: int, members: int) -> None:
    karmada = record_members(a_karmada(tmp_path, {"deployer": "by_yaml", "etcd": {"members": 3}}), count)

    assert (member_count(karmada), karmada.spec.etcd.members) == (count, members)
    assert runs_own_etcd(karmada.spec), "of one member it stays the lab's own"
