from __future__ import annotations

from pathlib import Path

import pytest

from deployers.members.registry import CLUSTERS, Member, claim, cluster_id, find_registration, is_reachable, list_members, wait_member_ready
from deployers.tests.member_fakes import Fixture, two_sides
from lab.cluster import Cluster
from lab.errors import NotReady, ProvisionError, UsageError


@pytest.fixture
def sides(tmp_path: Path) -> Fixture:
    return two_sides(tmp_path)


def test_members_are_read_by_name(sides: Fixture) -> None:
    sides.registered(name="b", uid="2", mode="Pull", ready="Unknown")
    sides.registered(name="a", uid="1")

    assert list(list_members(sides)) == ["a", "b"]
    assert list_members(sides)["b"] == Member("b", "2", "object-b", "pull", "https://member1.test", ready=False, leaving=False)


def test_an_unused_name_and_cluster_are_free(sides: Fixture) -> None:
    sides.registered(name="other", uid="another")

    assert claim(sides, sides.member, "push") is None


def test_the_same_cluster_under_the_same_name_has_it_already(sides: Fixture) -> None:
    sides.registered()

    found = claim(sides, sides.member, "push")

    assert found is not None
    assert found.ready


def test_a_name_of_another_cluster_is_refused_with_both_named(sides: Fixture) -> None:
    sides.registered(uid="another")

    with pytest.raises(UsageError, match="name member1") as refused:
        claim(sides, sides.member, "push")

    assert "another" in str(refused.value.where)
    assert "uid-of-member1" in str(refused.value.where)
    assert sides.plane.writes() == sides.there.writes() == []


def test_a_cluster_of_another_name_is_refused_with_that_name(sides: Fixture) -> None:
    sides.registered(name="elder", mode="Pull")

    with pytest.raises(UsageError, match="name elder") as refused:
        claim(sides, sides.member, "push")

    assert "karmadactl unregister elder" in str(refused.value.remedy)


def test_the_other_mode_is_refused(sides: Fixture) -> None:
    sides.registered(mode="Pull")

    with pytest.raises(UsageError, match="by pull"):
        claim(sides, sides.member, "push")


def test_a_registration_that_is_being_removed_is_waited_for(sides: Fixture) -> None:
    sides.registered(deletionTimestamp="2026-01-01T00:00:00Z")

    with pytest.raises(NotReady, match="registration member1"):
        claim(sides, sides.member, "push", within=0.05)


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_the_callers_fault_and_name_the_file(sides: Fixture, status: int) -> None:
    sides.there.refuses = status

    with pytest.raises(UsageError, match="accept the credentials") as refused:
        cluster_id(sides.member)

    assert str(sides.member.kubeconfig) in str(refused.value.where)


def test_a_member_that_is_away_is_no_usage_error(sides: Fixture) -> None:
    sides.there.away = True

    with pytest.raises(ProvisionError, match="member1 does not") as away:
        claim(sides, sides.member, "push")

    assert away.value.exit_code == 4
    assert not is_reachable(sides.member)


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        cluster_id(Cluster("x", "x", tmp_path / "nowhere"))

    assert str(tmp_path / "nowhere") in str(refused.value.where)


def test_an_unreachable_control_plane_is_not_reported_as_a_member(sides: Fixture) -> None:
    sides.plane.away = True

    with pytest.raises(ProvisionError, match="Karmada does not"):
        claim(sides, sides.member, "push")


def test_a_control_plane_without_its_aggregated_api_says_so(sides: Fixture) -> None:
    sides.plane.refuses = 503

    with pytest.raises(ProvisionError, match="aggregated API"):
        list_members(sides)


def test_credentials_karmada_does_not_take_are_the_callers_fault(sides: Fixture) -> None:
    sides.plane.refuses = 401

    with pytest.raises(UsageError, match="accept the credentials"):
        list_members(sides)


def test_ready_is_what_the_condition_says(sides: Fixture) -> None:
    sides.registered(ready="False")
    with pytest.raises(NotReady) as late:
        wait_member_ready(sides, "member1", within=0.05)
    assert "Ready is False" in late.value.last

    sides.registered()
    assert wait_member_ready(sides, "member1", within=0.05).ready


def test_a_registration_is_removed_only_for_the_cluster_that_has_it(sides: Fixture) -> None:
    assert find_registration(sides, sides.member, "push") is None

    sides.registered(uid="another")
    with pytest.raises(UsageError, match="another cluster's"):
        find_registration(sides, sides.member, "push")

    assert find_registration(sides, sides.member, "push", force=True), "it was rebuilt: who was registered is no more"

    sides.registered(mode="Pull")
    with pytest.raises(UsageError, match="joined by pull") as refused:
        find_registration(sides, sides.member, "push")
    assert refused.value.where == f"https://karmada.test{CLUSTERS}/member1"


def test_a_member_that_is_away_is_removed_only_by_force(sides: Fixture) -> None:
    sides.registered()
    sides.there.away = True

    with pytest.raises(ProvisionError) as away:
        find_registration(sides, sides.member, "push")
    assert "with force" in str(away.value.remedy)
    assert find_registration(sides, sides.member, "push", force=True) is not None
