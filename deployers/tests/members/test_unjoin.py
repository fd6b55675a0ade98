from __future__ import annotations

from pathlib import Path

import pytest

from deployers.members import unjoin as module
from deployers.members.join import join
from deployers.members.unjoin import unjoin
from deployers.tests.member_fakes import ScriptedFailure, two_sides
from lab.errors import NotReady, ProvisionError, UsageError

GOLDEN = (
    "karmadactl unjoin member1 --kubeconfig RUN/kubeconfig/karmada.yaml --karmada-context karmada-apiserver "
    "--cluster-kubeconfig RUN/kubeconfig/member1.yaml --cluster-context member1 --cluster-namespace karmada-cluster --wait=60s"
)


def test_unjoin_runs_karmadactl_and_returns_when_it_is_gone(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    join(sides, sides.member)

    assert unjoin(sides, sides.member)

    assert sides.commands().splitlines()[-1] == GOLDEN
    assert sides.run.recorded("members", "member1") is None


def test_unjoin_of_what_is_not_joined_changes_nothing(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)

    assert not unjoin(sides, sides.member)

    assert sides.commands() == ""


def test_a_pull_member_is_not_unjoined(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.registered(mode="Pull")

    with pytest.raises(UsageError, match="joined by pull"):
        unjoin(sides, sides.member)

    assert sides.commands() == ""


def test_a_member_that_is_away_is_left_registered(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.registered()
    sides.there.away = True

    with pytest.raises(ProvisionError, match="does not answer"):
        unjoin(sides, sides.member)

    assert sides.commands() == ""
    assert sides.plane.writes() == []


def test_force_passes_over_a_member_that_is_away(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.registered()
    sides.there.away = True

    assert unjoin(sides, sides.member, force=True)

    assert sides.commands().splitlines()[-1] == f"{GOLDEN} --force"


def test_a_member_that_goes_away_meanwhile_is_named_and_so_is_what_is_left(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.registered()

    def goes_away(args: tuple[str, ...]) -> ScriptedFailure:
        sides.leaves(args)
        sides.there.away = True
        return ScriptedFailure(1, "E1123 unjoin.go:210] Failed to delete RBAC resource\nerror: connection refused\n")

    sides.machine._answers["/software/karmadactl", "unjoin"] = goes_away
    with pytest.raises(ProvisionError, match="no longer registered") as failed:
        unjoin(sides, sides.member)

    assert "with force" in str(failed.value.remedy)


def test_a_removal_that_is_held_up_names_the_finalizers(tmp_path: Path) -> None:
    sides = two_sides(tmp_path, unjoin=ScriptedFailure(1, "error: context deadline exceeded\n"))
    sides.registered()

    with pytest.raises(ProvisionError, match="still registered") as failed:
        unjoin(sides, sides.member)

    assert "finalizers of Works in karmada-es-member1" in str(failed.value.remedy)


def test_what_karmadactl_does_not_wait_for_is_waited_for(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.there.put("/api/v1/namespaces/karmada-cluster", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})

    with pytest.raises(NotReady, match="namespace on member1"):
        module.wait_settled(sides, sides.member, within=0.05)
