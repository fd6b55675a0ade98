from __future__ import annotations

from pathlib import Path
from threading import Timer

import pytest

from deployers.members import agent, leftovers, owned_objects
from deployers.members.certificate_requests import CSRS
from deployers.members.leftovers import assert_clean, list_leftovers
from deployers.members.registry import Mode
from deployers.tests.member_fakes import Fixture, two_sides
from lab.errors import LeakError, ProvisionError
from lab.run import write_private


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fixture:
    sides = two_sides(tmp_path)
    sides.plane.objects.pop("/api/v1/namespaces/karmada-cluster")
    monkeypatch.setattr(leftovers, "LOCAL_FILES", (tmp_path / "karmada-agent.conf", tmp_path / "pki" / "ca.crt"))
    return sides


def put(sides: Fixture, trace: owned_objects.OwnedObject) -> None:
    (sides.plane if trace.side == "control plane" else sides.there).put(trace.at("member1"))


@pytest.mark.parametrize("mode", ["push", "pull"])
def test_nothing_left_is_clean(sides: Fixture, mode: Mode) -> None:
    assert_clean(sides, sides.member, mode)


@pytest.mark.parametrize("trace", owned_objects.OWNED_OBJECTS, ids=lambda trace: f"{trace.side}: {trace.at('member1')}")
def test_each_object_that_is_left_is_a_line_of_its_own(sides: Fixture, trace: owned_objects.OwnedObject) -> None:
    put(sides, trace)

    left = list_leftovers(sides, sides.member, "pull", lingering=True)

    assert len(left) == 1
    assert left[0].startswith(f"{trace.side}: {trace.at('member1')}")
    assert list_leftovers(sides, sides.member, "pull") == ([] if trace.lingers else left)


def test_what_only_pull_members_have_is_not_asked_of_push_members(sides: Fixture) -> None:
    for trace in owned_objects.OWNED_OBJECTS:
        if "push" not in trace.modes:
            put(sides, trace)

    assert list_leftovers(sides, sides.member, "push", lingering=True) == []


def test_works_bindings_and_requests_are_lines_too(sides: Fixture) -> None:
    sides.plane.put("/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-member1/works/w")
    bindings = "/apis/work.karmada.io/v1alpha2"
    sides.plane.put(f"{bindings}/resourcebindings/web", metadata={"namespace": "shop"}, spec={"clusters": [{"name": "member1"}]})
    sides.plane.put(f"{bindings}/clusterresourcebindings/role", spec={"clusters": [{"name": "member10"}]})
    sides.plane.put(f"{CSRS}/member1-abcde", spec={"username": "system:bootstrap:abcdef"})
    sides.plane.put(f"{CSRS}/agent-rbac-generator-member1abcde", spec={"username": "system:bootstrap:abcdef"})
    sides.plane.put(f"{CSRS}/member10-abcde", spec={"username": "system:bootstrap:abcdef"})

    assert list_leftovers(sides, sides.member, "pull") == [
        "control plane: Work karmada-es-member1/w",
        "control plane: resourcebindings shop/web is scheduled to member1",
        "control plane: member1-abcde (CertificateSigningRequest)",
        "control plane: agent-rbac-generator-member1abcde (CertificateSigningRequest)",
    ]


def test_whatever_bears_karmadas_label_on_the_member_is_a_line(sides: Fixture) -> None:
    sides.there.put(
        "/api/v1/secrets/s", metadata={"namespace": "shop", "labels": {"karmada.io/managed": "true"}}
    )  # as a list over all namespaces answers

    assert list_leftovers(sides, sides.member, "push") == [
        "member: /api/v1/namespaces/shop/secrets/s has the label karmada.io/managed=true"
    ]


def test_an_object_that_is_being_deleted_says_what_holds_it(sides: Fixture) -> None:
    path = "/api/v1/namespaces/karmada-es-member1"
    sides.plane.put(path, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["f"]})

    assert list_leftovers(sides, sides.member, "push") == [
        f"control plane: {path}, being deleted since 2026-01-01T00:00:00Z, finalizers ['f']"
    ]


def test_files_of_this_run_are_leftovers_and_older_ones_are_not(sides: Fixture, tmp_path: Path) -> None:
    conf = tmp_path / "karmada-agent.conf"
    conf.touch()
    write_private(agent.agent_kubeconfig(sides, "member1"), b"")

    assert list_leftovers(sides, sides.member, "pull") == [
        f"local files: {conf}",
        f"local files: {agent.agent_kubeconfig(sides, 'member1')}",
    ]

    object.__setattr__(sides.run, "created", conf.stat().st_ctime + 1)
    assert f"local files: {conf}" not in list_leftovers(sides, sides.member, "pull")


def test_an_agent_that_still_runs_is_a_line(sides: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "agent_runs", lambda *_: True)

    assert list_leftovers(sides, sides.member, "pull") == ["processes: member1/karmada-agent"]


def test_a_member_that_does_not_answer_is_never_clean(sides: Fixture) -> None:
    sides.there.away = True

    with pytest.raises(ProvisionError):
        list_leftovers(sides, sides.member, "push")

    assert list_leftovers(sides, sides.member, "push", member_down=True) == []


def test_a_leak_names_every_line(sides: Fixture) -> None:
    for trace in owned_objects.OWNED_OBJECTS[:3]:
        put(sides, trace)

    with pytest.raises(LeakError, match="3 things") as leak:
        assert_clean(sides, sides.member, "push")

    assert leak.value.exit_code == 7
    assert str(leak.value.detail).count("\n") == 2


def test_what_is_on_its_way_out_is_waited_for_and_named_when_it_does_not_go(sides: Fixture) -> None:
    path = "/api/v1/namespaces/shop"
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z", "labels": {"karmada.io/managed": "true"}}
    sides.there.put(path, metadata=going)

    with pytest.raises(LeakError, match="1 thing ") as leak:
        assert_clean(sides, sides.member, "push", within=0.0)
    assert "being deleted since 2026" in str(leak.value.detail)

    Timer(0.1, lambda: sides.there.objects.pop(path)).start()
    assert_clean(sides, sides.member, "push", within=5.0)
