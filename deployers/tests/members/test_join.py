from __future__ import annotations

from pathlib import Path

import pytest

from deployers.members import owned_objects
from deployers.members.join import join, join_rights
from deployers.members.member_record import MemberRecord
from deployers.members.registry import CLUSTERS
from deployers.members.service_accounts import accounts
from deployers.names import CLUSTER_NAMESPACE
from deployers.tests.member_fakes import ScriptedFailure, two_sides
from lab.errors import NotReady, ProvisionError, UsageError

SECRETS = f"/api/v1/namespaces/{CLUSTER_NAMESPACE}/secrets"
GOLDEN = (
    "karmadactl join member1 --kubeconfig RUN/kubeconfig/karmada.yaml --karmada-context karmada-apiserver "
    "--cluster-kubeconfig RUN/kubeconfig/member1.yaml --cluster-context member1 --cluster-namespace karmada-cluster\n"
)


def test_join_runs_karmadactl_and_returns_when_ready(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)

    assert join(sides, sides.member)

    assert sides.commands() == GOLDEN
    assert MemberRecord.read(sides.run, "member1") == owned_objects.make_joined_record("push", "member1")


def test_where_it_is_is_passed_on(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)

    join_rights(sides, sides.member, provider="p", region="r", zones=("a", "b"))

    assert sides.commands() == GOLDEN.rstrip("\n") + " --cluster-provider p --cluster-region r --cluster-zones a,b\n"


def test_joining_twice_changes_nothing(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    join(sides, sides.member)
    before = len(sides.machine.done), sides.plane.writes(), sides.there.writes()

    assert not join(sides, sides.member)

    assert (len(sides.machine.done), sides.plane.writes(), sides.there.writes()) == before


def test_accounts_are_made_ahead_unless_karmadactl_shall(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    join(sides, sides.member)
    made = [path for verb, path in sides.there.writes() if verb == "POST"]
    assert len(made) == len(accounts("member1")) == 5

    other = two_sides(tmp_path / "other")
    join(other, other.member, ahead=False)
    assert other.there.writes() == []


def test_accounts_that_are_there_are_left_alone(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.there.put(f"{SECRETS}/karmada-member1", data={"token": "t"})

    join(sides, sides.member)

    assert sides.there.objects[f"{SECRETS}/karmada-member1"]["data"] == {"token": "t"}


def test_secrets_of_an_interrupted_join_are_not_taken_over(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.plane.put(f"{SECRETS}/member1", metadata={"labels": {"karmada.io/system": "true"}})
    sides.plane.put(f"{SECRETS}/member1-impersonator", metadata={"labels": {"mine": "yes"}})

    join_rights(sides, sides.member)

    assert [path for verb, path in sides.plane.writes() if verb == "DELETE"] == [f"{SECRETS}/member1"]


def test_a_join_interrupted_at_its_last_request_is_completed(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.registered()
    sides.plane.put(f"{SECRETS}/member1")
    sides.plane.put(f"{SECRETS}/member1-impersonator", metadata={"ownerReferences": [{"uid": "object-member1"}]})

    assert not join(sides, sides.member)

    assert sides.plane.writes() == [("PATCH", f"{SECRETS}/member1")]
    assert sides.plane.objects[f"{SECRETS}/member1"]["metadata"]["ownerReferences"][0]["uid"] == "object-member1"


def test_a_member_that_does_not_become_ready_shows_its_last_condition(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    sides.registered(ready="False")

    with pytest.raises(NotReady, match="member1 is Ready"):
        join(sides, sides.member, within=0.05)


REGISTERED = "error: the cluster ID uid-of-member1 or the cluster name member1 has been registered\n"
REFUSED = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n"
UNKNOWN_CA = "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority\n"


def test_a_taken_name_and_a_taken_cluster_give_different_errors(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)

    def meanwhile(args: tuple[str, ...]) -> ScriptedFailure:
        sides.registered(uid="another")
        return ScriptedFailure(1, REGISTERED)

    sides.machine._answers["/software/karmadactl", "join"] = meanwhile
    with pytest.raises(UsageError, match="name member1") as taken:
        join(sides, sides.member)
    assert taken.value.exit_code == 2

    other = two_sides(tmp_path / "other")

    def under_another_name(args: tuple[str, ...]) -> ScriptedFailure:
        other.registered(name="elder")
        return ScriptedFailure(1, REGISTERED)

    other.machine._answers["/software/karmadactl", "join"] = under_another_name
    with pytest.raises(UsageError, match="name elder"):
        join(other, other.member)


@pytest.mark.parametrize(("side", "said"), [("there", "member1 does not"), ("plane", "Karmada does not")])
def test_a_refused_connection_is_attributed_to_the_side_that_is_away(tmp_path: Path, side: str, said: str) -> None:
    sides = two_sides(tmp_path)

    def goes_away(args: tuple[str, ...]) -> ScriptedFailure:
        getattr(sides, side).away = True
        return ScriptedFailure(1, REFUSED)

    sides.machine._answers["/software/karmadactl", "join"] = goes_away
    with pytest.raises(ProvisionError, match=said) as failed:
        join(sides, sides.member)

    assert failed.value.detail == REFUSED
    assert failed.value.exit_code == 4


def test_an_unknown_failure_keeps_karmadactls_text(tmp_path: Path) -> None:
    sides = two_sides(tmp_path, join=ScriptedFailure(1, "W1123 odd\nerror: failed to create secret in control plane. error: boom\n"))

    with pytest.raises(ProvisionError, match="create secret") as failed:
        join(sides, sides.member)

    assert "karmadactl join member1" in str(failed.value.where)
    assert f"{CLUSTERS}/member1" not in sides.plane.objects


def test_a_certificate_of_another_authority_is_shown(tmp_path: Path) -> None:
    sides = two_sides(tmp_path, join=ScriptedFailure(1, UNKNOWN_CA))

    with pytest.raises(ProvisionError) as failed:
        join(sides, sides.member)

    assert "x509" in str(failed.value)


def test_a_member_that_another_command_joined_meanwhile_is_joined(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)

    def both(args: tuple[str, ...]) -> ScriptedFailure:
        sides.joins(args)
        return ScriptedFailure(1, REGISTERED)

    sides.machine._answers["/software/karmadactl", "join"] = both

    assert join(sides, sides.member)


def test_a_member_that_serves_elsewhere_now_is_reached_there(tmp_path: Path) -> None:
    sides = two_sides(tmp_path)
    join(sides, sides.member)
    path = next(path for path in sides.plane.objects if path.endswith("/clusters/member1"))
    sides.plane.objects[path]["spec"]["apiEndpoint"] = "https://127.0.0.1:1"

    assert join(sides, sides.member)

    assert sides.plane.objects[path]["spec"]["apiEndpoint"] == sides.member.api.server
