from __future__ import annotations

from pathlib import Path

import pytest

from deployers.members import agent, owned_objects
from deployers.members.certificate_requests import CSRS
from deployers.members.register import register_agent
from deployers.members.unregister import unregister
from deployers.tests.member_fakes import Fixture, ScriptedFailure, two_sides
from lab.errors import ProvisionError, UsageError
from lab.run import write_private

LEASE = f"{owned_objects.LEASES}/karmada-system/leases/karmada-agent-member1"
WORK = "/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-member1/works/w"
GOLDEN = (
    "karmadactl unregister member1 --karmada-config RUN/kubeconfig/karmada.yaml --karmada-context karmada-apiserver "
    "--cluster-kubeconfig RUN/kubeconfig/member1.yaml --cluster-context member1 --cluster-namespace karmada-cluster "
    "--namespace karmada-system --wait=60s"
)


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fixture:
    """Both sides with member1 registered, and its agent running."""
    sides = two_sides(tmp_path)
    register_agent(sides, sides.member)
    sides.registered(mode="Pull")
    sides.plane.put(LEASE)
    write_private(agent.agent_kubeconfig(sides, "member1"), b"")
    monkeypatch.setattr(agent, "agent_runs", lambda *_: True)
    return sides


def test_unregister_gives_karmadas_kubeconfig_and_ends_the_agent_after_it(sides: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    stop = agent.stop_agent

    def noted(karmada: Fixture, name: str) -> None:
        order.append(sides.commands().splitlines()[-1])
        stop(karmada, name)

    monkeypatch.setattr(agent, "stop_agent", noted)

    assert unregister(sides, sides.member)

    assert order == [GOLDEN]
    assert not agent.agent_kubeconfig(sides, "member1").exists()
    assert sides.run.recorded("members", "member1") is None


def test_what_upstream_leaves_and_another_agent_would_stumble_over_is_deleted(sides: Fixture) -> None:
    unregister(sides, sides.member)

    assert LEASE not in sides.plane.objects
    assert not [path for path in sides.plane.objects if path.startswith(CSRS)]


def test_unregister_of_what_is_not_registered_changes_nothing(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)

    assert not unregister(sides, sides.member)

    assert sides.commands() == ""
    assert sides.there.writes() == []


def test_an_enrolment_that_never_became_a_registration_is_cleared(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    register_agent(sides, sides.member)

    assert unregister(sides, sides.member)

    assert not [path for path in sides.there.objects if "karmada-agent" in path]


def test_a_push_member_is_not_unregistered(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.registered()

    with pytest.raises(UsageError, match="joined by push") as refused:
        unregister(sides, sides.member)

    assert "karmadactl unjoin member1" in str(refused.value.remedy)


def test_without_its_agent_nothing_would_clean_up_so_nothing_is_begun(sides: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "agent_runs", lambda *_: False)
    commands = sides.commands()

    with pytest.raises(ProvisionError, match="agent of member1"):
        unregister(sides, sides.member)

    assert sides.commands() == commands


def test_force_without_an_agent_forgets_the_member_and_deletes_karmadas_own(sides: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "agent_runs", lambda *_: False)

    assert unregister(sides, sides.member, force=True)

    assert "karmadactl unregister" not in sides.commands()
    assert not [trace for trace in owned_objects.OWNED_OBJECTS if not trace.lingers and trace.at("member1") in sides.there.objects]
    assert not [path for path in sides.plane.objects if "member1" in path]


def test_force_with_a_member_that_is_away_asks_nothing_of_it(sides: Fixture) -> None:
    sides.there.away = True

    assert unregister(sides, sides.member, force=True)

    assert "karmadactl unregister" not in sides.commands()


def test_a_failure_says_whether_the_member_is_still_registered(sides: Fixture) -> None:
    sides.machine._answers["/software/karmadactl", "unregister"] = ScriptedFailure(1, "error: context deadline exceeded\n")

    with pytest.raises(ProvisionError, match="still registered"):
        unregister(sides, sides.member)
