"""Members and external services that a control plane needs are checked before anything is created."""

from __future__ import annotations

from deployers.tests.by_binary_fakes import found


def test_members_the_lab_does_not_have() -> None:
    assert found(members=[{"name": "member9"}]) == ["members: the lab has no cluster 'member9'"]


def test_estimators_without_members() -> None:
    assert "no members to estimate" in found(members=[], addons={"estimators": True})[0]
