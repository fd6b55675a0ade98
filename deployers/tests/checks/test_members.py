"""Checks of members: registered, Ready, reached by the proxy and by propagation."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.checks import members as member_checks
from deployers.checks.control_plane import CheckFailed
from deployers.members.registry import CLUSTERS
from deployers.tests.checks_fakes import member, plane
from deployers.tests.control_plane_fakes import Server
from lab.errors import ProvisionError


def test_the_proxy_must_lead_to_the_member_itself(tmp_path: Path) -> None:
    server = Server({f"{CLUSTERS}/member1/proxy/api/v1/namespaces/kube-system": {"metadata": {"uid": "one"}}})

    assert member_checks.check_proxy(plane(tmp_path, server, members=(member("one"),))) == "member1"
    with pytest.raises(CheckFailed, match="another cluster"):
        member_checks.check_proxy(plane(tmp_path, server, members=(member("two"),)))
    with pytest.raises(ProvisionError, match="proxy of member1"):
        member_checks.check_proxy(plane(tmp_path, Server(), members=(member("one"),)), within=0.05)


def test_a_member_that_is_not_registered_or_not_ready_is_named(tmp_path: Path) -> None:
    members = (member("one"),)
    with pytest.raises(CheckFailed, match="not registered"):
        member_checks.check_members_ready(plane(tmp_path, Server(), members=members))

    bad = {
        "metadata": {"name": "member1"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "message": "ClusterNotReachable"}]},
    }
    with pytest.raises(CheckFailed, match="ClusterNotReachable"):
        member_checks.check_members_ready(plane(tmp_path, Server({f"{CLUSTERS}/member1": bad}), members=members))


def test_what_propagation_made_is_deleted_when_it_fails(tmp_path: Path) -> None:
    server = Server(created=lambda body: body)
    with pytest.raises(ProvisionError, match="is on member1"):
        member_checks.check_propagation(plane(tmp_path, server, members=(member("one"),)), within=0.05)

    assert server.writes[-1].startswith("DELETE /api/v1/namespaces/conformance-")


@pytest.mark.parametrize("counted", [0, 3])
def test_an_estimator_that_is_not_asked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: int) -> None:
    counts = iter([5.0, 5.0 + counted])
    monkeypatch.setattr(member_checks, "read_request_count", lambda karmada, name: next(counts))
    monkeypatch.setattr(member_checks, "propagate", lambda *args, **how: None)
    karmada = plane(tmp_path, Server(), members=(member("one"),))

    if counted:
        assert member_checks.check_estimators(karmada) == "1 of 1"
    else:
        with pytest.raises(CheckFailed, match="estimators of member1"):
            member_checks.check_estimators(karmada)
