from __future__ import annotations

from pathlib import Path

import pytest

from deployers.operator.look import DeploymentView, list_forced, renew_before, seconds_of
from deployers.operator.observe import PlaneView
from deployers.operator.plan import Operation
from deployers.operator.planes import Plane
from deployers.operator.secrets import SecretState
from deployers.tests.operator_fakes import full_binary, parse_spec, small

DOCUMENT = {"lab": {"members": [{"name": "a"}, {"name": "b"}]}}


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeploymentView:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    return DeploymentView(Plane.of("uid", "fleet", "prod"), parse_spec(small()), {}, PlaneView(), SecretState(), None)


def test_durations_are_seconds() -> None:
    assert [seconds_of(text) for text in ("720h", "1h30m", "45s")] == [2_592_000, 5400, 45]
    assert renew_before(parse_spec(small())) == "720h"
    assert renew_before(parse_spec(full_binary())) == "240h"


def test_a_member_without_a_secret_does_not_join(look: DeploymentView) -> None:
    look.state.members["a"] = "missing"

    joining = look.choose_members(Operation("Join", "", DOCUMENT, members=("a", "b")))
    assert joining == Operation("Join", "b joined the spec", DOCUMENT, members=("b",))
    assert look.choose_members(Operation("Join", "", DOCUMENT, members=("a",))) is None
    assert look.choose_members(Operation("Unjoin", "", DOCUMENT, members=("a",))) is not None
    assert look.choose_members(Operation("Install", "", DOCUMENT)) == Operation("Install", "", DOCUMENT, members=("b",))


def test_a_member_that_failed_waits_and_others_do_not(look: DeploymentView) -> None:
    look.plane.note_outcomes({"a": {"reason": "NotReady", "message": ""}})

    joining = look.choose_members(Operation("Join", "", DOCUMENT, members=("a", "b")))
    assert joining is not None
    assert joining.members == ("b",)
    assert 0 < look.waiting() <= 2
    look.state.changed = True
    assert look.choose_members(Operation("Join", "", DOCUMENT, members=("a",))) is not None, "its Secret may be the reason"


def test_members_are_forced_out_only_where_the_policy_says_so() -> None:
    failing = {"a": {"since": 0.0}}
    assert list_forced({"whenUnreachable": "ForceAfter", "forceAfter": "1m"}, failing, ["a", "b"]) == ("a",)
    assert list_forced({"whenUnreachable": "Wait"}, failing, ["a"]) == ()
    assert list_forced({}, failing, ["a"]) == ()
