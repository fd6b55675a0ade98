from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.members import bootstrap_token, owned_objects
from deployers.members import register as module
from deployers.members.agent import agent_kubeconfig
from deployers.members.certificate_requests import CSRS
from deployers.members.member_record import MemberRecord
from deployers.members.register import SECRET, missing_objects, register, register_agent
from deployers.names import CLUSTER_NAMESPACE
from deployers.tests.member_fakes import HASH, PREFLIGHT, TOKEN, Fixture, ScriptedFailure, two_sides
from lab import component, ports
from lab.errors import NotReady, ProvisionError, UsageError

BOOTSTRAP = f"/api/v1/namespaces/kube-system/secrets/bootstrap-token-{TOKEN.partition('.')[0]}"
GOLDEN = (
    "karmadactl token create --print-register-command --ttl=15m "
    "--kubeconfig RUN/kubeconfig/karmada.yaml --karmada-context karmada-apiserver\n"
    f"karmadactl register 127.0.0.1:5443 --token {TOKEN} --discovery-token-ca-cert-hash {HASH} "
    "--kubeconfig RUN/kubeconfig/member1.yaml --context member1 --cluster-name member1 --cluster-namespace karmada-cluster "
    "--namespace karmada-system --karmada-agent-replicas 0 --discovery-timeout=120s\n"
)


@pytest.fixture(autouse=True)
def reserved_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "locate_reservations", lambda: tmp_path / "ports")


@pytest.fixture
def sides(tmp_path: Path) -> Fixture:
    return two_sides(tmp_path)


@pytest.fixture
def started(sides: Fixture, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The agents that were started; each registers its member and takes its lease, as the real one does."""
    names: list[str] = []

    def start(program: component.Component, run: Any) -> None:
        names.append(program.name)
        sides.registered(mode="Pull")
        sides.plane.put(f"{owned_objects.LEASES}/{CLUSTER_NAMESPACE}/leases/member1", spec={"holderIdentity": "member1"})

    monkeypatch.setattr(component, "start", start)
    return names


def test_register_runs_upstreams_own_command_and_then_the_agent(sides: Fixture, started: list[str]) -> None:
    assert register(sides, sides.member)

    assert sides.commands() == GOLDEN
    assert started == ["member1/karmada-agent"]
    assert MemberRecord.read(sides.run, "member1") == owned_objects.make_joined_record("pull", "member1")


def test_the_agents_credentials_have_private_modes(sides: Fixture, started: list[str]) -> None:
    register(sides, sides.member)

    kubeconfig = agent_kubeconfig(sides, "member1")
    assert kubeconfig.read_bytes() == b"the agent's kubeconfig"
    assert kubeconfig.stat().st_mode & 0o777 == 0o600


def test_the_token_is_gone_whatever_happened(sides: Fixture, tmp_path: Path) -> None:
    register_agent(sides, sides.member)
    assert BOOTSTRAP not in sides.plane.objects

    other = two_sides(tmp_path / "other", register=ScriptedFailure(1, "error: boom\n"))
    with pytest.raises(ProvisionError, match="boom"):
        register_agent(other, other.member)
    assert BOOTSTRAP not in other.plane.objects


def test_registering_twice_changes_nothing(sides: Fixture, started: list[str]) -> None:
    register(sides, sides.member)
    commands = sides.commands()

    assert not register(sides, sides.member)

    assert sides.commands() == commands


def test_a_pod_runs_the_agent_where_an_image_is_given(sides: Fixture, started: list[str]) -> None:
    def with_its_pod(args: tuple[str, ...]) -> str:
        sides.registered(mode="Pull")
        sides.plane.put(f"{owned_objects.LEASES}/{CLUSTER_NAMESPACE}/leases/member1", spec={"holderIdentity": "member1"})
        return sides.registers(args)

    sides.machine._answers["/software/karmadactl", "register"] = with_its_pod

    register(sides, sides.member, image="registry.test/karmada-agent:v1.18.2")

    assert started == []
    assert "--karmada-agent-image registry.test/karmada-agent:v1.18.2" in sides.commands()
    assert "--karmada-agent-replicas" not in sides.commands()


def test_status_0_without_a_registration_is_a_failure_that_shows_what_was_printed(tmp_path: Path) -> None:
    sides = two_sides(tmp_path, register=PREFLIGHT)
    sides.there.put(SECRET)  # an earlier registration's, not of this run

    with pytest.raises(ProvisionError, match="status 0") as failed:
        register(sides, sides.member)

    assert "karmada-kubeconfig Secret already exists" in str(failed.value.detail)
    assert failed.value.exit_code == 4
    assert SECRET in sides.there.objects  # not ours to delete
    assert sides.run.recorded("members", "member1") is None


def test_a_certificate_that_was_not_issued_is_a_failure_too(sides: Fixture) -> None:
    def unsigned(args: tuple[str, ...]) -> str:
        said = sides.registers(args)
        sides.plane.put(f"{CSRS}/member1-gvlpw", spec={"username": f"system:bootstrap:{TOKEN.partition('.')[0]}"}, status={})
        return said

    sides.machine._answers["/software/karmadactl", "register"] = unsigned

    with pytest.raises(ProvisionError, match="certificate request"):
        register_agent(sides, sides.member)


def test_what_a_failed_register_left_is_cleared(sides: Fixture) -> None:
    def half(args: tuple[str, ...]) -> ScriptedFailure:
        sides.registers(args)
        sides.plane.put("/api/v1/namespaces/karmada-es-member1")
        return ScriptedFailure(1, "error: wait for Deployment(karmada-system/karmada-agent) rollout: context deadline exceeded\n")

    sides.machine._answers["/software/karmadactl", "register"] = half
    with pytest.raises(ProvisionError, match="rollout"):
        register(sides, sides.member)

    assert len(missing_objects(sides, sides.member)) == sum(trace.registered for trace in owned_objects.OWNED_OBJECTS)
    assert not [path for path in sides.plane.objects if "member1" in path]


def test_an_interrupted_registration_of_this_run_starts_again(sides: Fixture) -> None:
    sides.run.record("members", "member1", {"mode": "pull", "state": "registering"})
    sides.there.put(SECRET)

    assert register_agent(sides, sides.member)

    assert ("DELETE", SECRET) in sides.there.writes()
    assert not missing_objects(sides, sides.member)


def test_a_registration_without_a_started_agent_is_resumed(sides: Fixture) -> None:
    register_agent(sides, sides.member)
    commands = sides.commands()

    assert register_agent(sides, sides.member)

    assert sides.commands() == commands


def test_a_name_that_is_taken_never_reaches_karmadactl(sides: Fixture) -> None:
    """Refused by the control plane, karmadactl would delete the permissions of whoever has the name."""
    sides.registered(mode="Pull", uid="another")

    with pytest.raises(UsageError):
        register(sides, sides.member)

    assert sides.commands() == ""
    assert sides.plane.writes() == []


def test_a_registration_without_its_permissions_says_so(sides: Fixture) -> None:
    sides.registered(mode="Pull")

    with pytest.raises(ProvisionError, match="permissions are incomplete") as failed:
        register(sides, sides.member)

    assert "with force" in str(failed.value.remedy)


def test_karmadactl_does_not_wait_for_an_unsigned_request(sides: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    sides.machine._answers["/software/karmadactl", "token"] = (
        f"karmadactl register 127.0.0.1:5443 --token {TOKEN} --discovery-token-ca-cert-hash {HASH}\n"
    )
    monkeypatch.setattr(bootstrap_token, "SIGNED_WITHIN", 0.05)

    with pytest.raises(NotReady) as late:
        register_agent(sides, sides.member)

    assert "bootstrapsigner" in str(late.value.remedy)
    assert "karmadactl register" not in sides.commands()


def test_an_election_is_released_only_where_no_agent_runs(sides: Fixture, started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lease = f"{owned_objects.LEASES}/karmada-system/leases/karmada-agent-member1"
    sides.plane.put(lease)
    register(sides, sides.member)
    assert lease not in sides.plane.objects

    sides.plane.put(lease)
    monkeypatch.setattr(module, "agent_runs", lambda *_: True)
    register(sides, sides.member)
    assert lease in sides.plane.objects
