from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployers.operator.document import SecretFiles, make_document
from deployers.operator.plan import CHANGE, Observed, make_plan
from deployers.tests.operator_fakes import parse_spec, small
from deployers.wanted import prepare

Json = dict[str, Any]


def member(name: str, mode: str = "Push") -> Json:
    return {"name": name, "mode": mode, "kubeconfigSecretRef": {"name": name}}


def spec_of(*members: str, **changes: Any) -> Json:
    return {**small(), "members": [member(name) for name in members], **changes}


def document_of(spec: Json) -> Json:
    return prepare(make_document(parse_spec(spec), SecretFiles(Path("/secrets")))).asked


def seen_of(spec: Json, **changes: Any) -> Observed:
    """Return what is observed when a spec runs with all its members."""
    registered = {each["name"]: each["mode"].lower() for each in spec.get("members", [])}
    return replace(Observed(document_of(spec), complete=True, alive=True, registered=registered), **changes)


def kinds(spec: Json, seen: Observed) -> list[str]:
    return [each.kind for each in make_plan(parse_spec(spec), document_of(spec), seen).operations]


def pending(what: str, **facts: Any) -> Json:
    return {"what": what, "again": "", **facts}


def test_nothing_is_left_when_the_spec_runs() -> None:
    spec = spec_of("member1")
    plan = make_plan(parse_spec(spec), document_of(spec), seen_of(spec))

    assert (plan.operations, plan.refused) == ((), ())


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        (spec_of("member1"), Observed(), ["Install"]),
        (spec_of("member1"), seen_of(spec_of("member1"), complete=False), ["Install"]),
        (spec_of("member1", release="1.17.2"), seen_of(spec_of("member1"), complete=False), ["Remove", "Install"]),
        (spec_of("member1", "member2"), seen_of(spec_of("member1"), complete=False), ["Install"]),
        (spec_of("member1"), seen_of(spec_of("member1"), alive=False), ["Start"]),
        (spec_of("member1", "member2"), seen_of(spec_of("member1")), ["Join"]),
        (spec_of("member1"), seen_of(spec_of("member1", "member2")), ["Unjoin"]),
        (spec_of("member1"), seen_of(spec_of("member1"), registered={}), ["Join"]),
        (spec_of("member1"), seen_of(spec_of("member1"), expiring=True), ["Renew"]),
        (spec_of(release="1.18.2"), seen_of(spec_of(release="1.17.2")), ["Upgrade"]),
        (spec_of(addons=[{"name": "search"}]), seen_of(spec_of()), ["Change"]),
        (spec_of(addons=[{"name": "openkruise", "version": "1.8.3"}]), seen_of(spec_of()), ["InstallAddon"]),
        (spec_of(), seen_of(spec_of(addons=[{"name": "openkruise", "version": "1.8.3"}])), ["RemoveAddon"]),
        (spec_of(certificates={"days": 90}), seen_of(spec_of()), ["Change"]),
    ],
)
def test_each_difference_has_its_operation(wanted: Json, seen: Observed, expected: list[str]) -> None:
    assert kinds(wanted, seen) == expected


def test_a_member_with_another_mode_leaves_and_joins_again() -> None:
    wanted = {**small(), "members": [member("member1", "Pull")]}
    (operation, *others) = make_plan(parse_spec(wanted), document_of(wanted), seen_of(spec_of("member1"))).operations

    assert (operation.kind, operation.members, others) == ("Unjoin", ("member1",), [])


def test_members_leave_before_and_join_after_everything_else() -> None:
    wanted = spec_of("member2", release="1.18.2", components=[{"name": "karmada-scheduler", "args": [{"name": "v", "value": "3"}]}])

    assert kinds(wanted, seen_of(spec_of("member1", release="1.17.2"))) == ["Unjoin", "Upgrade", "Change", "Join"]


@pytest.mark.parametrize(
    "change",
    [{"etcd": {"local": {"members": 3}}}, {"kubernetesVersion": "1.34.4"}, {"endpoint": {"extraNames": ["a.example"]}}],
)
def test_what_cannot_be_changed_is_refused_with_its_name(change: Json) -> None:
    plan = make_plan(parse_spec({**small(), **change}), document_of({**small(), **change}), seen_of(small()))

    assert plan.operations == ()
    assert len(plan.refused) >= 1


def test_a_stepwise_upgrade_waits_until_the_spec_goes_on() -> None:
    wanted = spec_of(upgrade={"policy": "Stepwise", "through": "karmada-webhook"})
    half = pending("an upgrade", **{"from": "1.17.2", "to": "1.18.2", "back": False, "done": ["crds"]})
    seen = seen_of(spec_of(release="1.17.2"), pending=half)
    assert kinds(wanted, seen) == ["Upgrade"]

    done = seen_of(spec_of(release="1.17.2"), pending={**half, "done": ["crds", "karmada-webhook"]})
    assert kinds(wanted, done) == []


def test_an_upgrade_goes_back_when_the_spec_does() -> None:
    half = pending("an upgrade", **{"from": "1.17.2", "to": "1.18.2", "back": False, "done": ["crds"]})
    wanted = spec_of(release="1.17.2")
    (operation,) = make_plan(parse_spec(wanted), document_of(wanted), seen_of(wanted, pending=half)).operations

    assert (operation.kind, operation.release, operation.rollback) == ("Upgrade", "1.17.2", True)


@pytest.mark.parametrize(("what", "kind"), [("a renewal of certificates", "Renew"), (CHANGE, "Change")])
def test_a_pending_change_is_completed_first(what: str, kind: str) -> None:
    assert kinds(spec_of("member1", "member2"), seen_of(spec_of("member1"), pending=pending(what))) == [kind]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(st.sampled_from(["a", "b", "c"])), min_size=1, max_size=5))
def test_whatever_the_edits_the_members_of_the_last_one_remain(edits: list[set[str]]) -> None:
    """Operations are carried out one by one, and a later edit may come between any two."""
    running = set(edits[0])
    for wanted in edits:
        spec = spec_of(*sorted(wanted))
        for _ in range(5):
            operations = make_plan(parse_spec(spec), document_of(spec), seen_of(spec_of(*sorted(running)))).operations
            if not operations:
                break
            first = operations[0]
            running = running - set(first.members) if first.kind == "Unjoin" else running | set(first.members)

    assert running == edits[-1]
