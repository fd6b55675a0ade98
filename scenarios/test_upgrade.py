"""An upgrade under load loses no acknowledged write and restarts no pod; it can be interrupted, resumed and rolled back."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from deployers.checks.conformance import conformance
from deployers.day2.upgrade import WHAT, upgrade
from deployers.karmada import Karmada
from deployers.plane import pending_operation
from lab import environment
from lab.errors import ProvisionError, UsageError
from lab.wait import NotYet, until
from scenarios.kit.extra_lab import as_it_is_now, extra_lab
from scenarios.kit.figures import report_figures
from scenarios.kit.namespaces import make_namespace as made_namespace
from scenarios.kit.traffic import Traffic, traffic
from scenarios.kit.workload import Workloads, duplicate_on, pod_uids

TO = "1.18.2"
ORDER = ("crds", "karmada-webhook", "karmada-aggregated-apiserver", "karmada-controller-manager", "karmada-scheduler", "karmada-agent")


def document(release: str, deployer: str = "by_binary") -> dict[str, Any]:
    """Return a lab file with a push member, a pull member where the deployer supports it, and a Karmada of a release."""
    provider, nodes = ("embedded", [{"count": 1}]) if deployer == "by_binary" else ("kind", [])
    second = "push" if deployer == "by_operator" else "pull"
    members = [{"name": "member1", "nodes": nodes}, {"name": "member2", "nodes": nodes, "mode": second}]
    return {"provider": provider, "members": members, "karmada": {"release": release, "deployer": deployer}}


@pytest.fixture
def released_lab(request: pytest.FixtureRequest) -> Iterator[Karmada]:
    """Yield an extra lab with the release, or the release and deployer, of the test's parameter."""
    args = [request.param] if isinstance(request.param, str) else request.param
    with extra_lab(document(*args), name="upgrade") as karmada:
        yield karmada


@pytest.fixture
def used_lab(released_lab: Karmada) -> Iterator[Traffic]:
    """Yield traffic on the lab with a Deployment on both members; assert afterwards that no write was lost and no pod restarted."""
    with made_namespace(released_lab, "used") as name:
        web = Workloads(released_lab, name)("web", replicas=2, placement=duplicate_on("member1", "member2"))
        assert web.until_ready() == {"member1": 2, "member2": 2}
        running = pod_uids(released_lab, name)
        with traffic(released_lab, name) as going:
            yield going
        going.check()
        assert pod_uids(released_lab, name) == running, "pods on members do not restart"
        assert web.until_ready() == {"member1": 2, "member2": 2}
    conformance(as_it_is_now(released_lab)).demand()


@pytest.mark.thorough
@pytest.mark.breaks
@pytest.mark.parametrize("released_lab", ["1.17.1"], indirect=True)
def test_whole_interrupted_resumed_and_back(released_lab: Karmada, used_lab: Traffic, request: pytest.FixtureRequest) -> None:
    run = released_lab.run
    kill_half_way(released_lab)
    assert (pending_operation.facts_of(run, WHAT) or {})["done"][:2] == ["crds", "karmada-webhook"]
    with pytest.raises(ProvisionError, match="upgrade of this"):
        pending_operation.require_none(run)

    done = upgrade(as_it_is_now(released_lab), TO)

    assert done.left == ()
    report_figures(request, upgrade_seconds=round(done.seconds, 1))
    karmada = as_it_is_now(released_lab)
    assert karmada.spec.release == TO
    with pytest.raises(UsageError, match="is earlier than"):
        upgrade(karmada, "1.17.1")
    upgrade(karmada, "1.17.1", rollback=True)
    assert as_it_is_now(released_lab).spec.release == "1.17.1"
    upgrade(as_it_is_now(released_lab), TO)
    report_figures(request, **used_lab.figures())


def kill_half_way(karmada: Karmada) -> None:
    """Kill `lab upgrade` by SIGKILL as soon as its second component is upgraded."""
    run = karmada.run
    argv = [sys.executable, "-m", "lab", "upgrade", TO, "--lab", run.id]
    with subprocess.Popen(argv, env=environment.inherit_all(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as command:

        def check_due() -> None:
            done = (pending_operation.facts_of(run, WHAT) or {"done": []})["done"]
            if len(done) < 2 and command.poll() is None:
                raise NotYet(f"done: {done}")

        try:
            until(check_due, what="two components are upgraded", within=120.0, every=0.02)
        finally:
            command.kill()
    assert command.returncode == -signal.SIGKILL, "`lab upgrade` ended before it could be killed"


@pytest.mark.thorough
@pytest.mark.breaks
@pytest.mark.parametrize("released_lab", ["1.18.1"], indirect=True)
def test_one_component_at_a_time(released_lab: Karmada, used_lab: Traffic, request: pytest.FixtureRequest) -> None:
    for name in ORDER:
        later = ORDER[ORDER.index(name) + 1 :]
        if later:
            with pytest.raises(UsageError, match="is not next"):
                upgrade(as_it_is_now(released_lab), TO, only=later[0])
        done = upgrade(as_it_is_now(released_lab), TO, only=name)
        assert (done.done, done.left) == ((name,), later)
        assert as_it_is_now(released_lab).spec.release == ("1.18.1" if later else TO)
    report_figures(request, **used_lab.figures())


@pytest.mark.thorough
@pytest.mark.breaks
@pytest.mark.needs("PODS")
@pytest.mark.parametrize("released_lab", [("1.17.1", name) for name in ("by_yaml", "by_chart", "by_operator")], indirect=True)
def test_pods_follow_their_own_installer(released_lab: Karmada, used_lab: Traffic, request: pytest.FixtureRequest) -> None:
    """1.18 replaces etcd's pod, so writes wait for it; none is lost."""
    done = upgrade(as_it_is_now(released_lab), TO)

    assert done.left == ()
    assert as_it_is_now(released_lab).spec.release == TO
    report_figures(request, upgrade_seconds=round(done.seconds, 1), **used_lab.figures())
