"""One computation of a component's flags: profile, spec, dropped flags and feature gates."""

from __future__ import annotations

from typing import Any

import pytest

from deployers.plane.flags import GATES, effective_flags, extra_args, gates_of, several_values
from deployers.spec import KarmadaSpec

SCHEDULER = "karmada-scheduler"


def spec_of(settings: dict[str, Any], **table: Any) -> KarmadaSpec:
    return KarmadaSpec.model_validate({"components": {SCHEDULER: settings}, **table})


def test_the_spec_is_laid_over_the_profile_and_drops_flags() -> None:
    e2e = effective_flags(KarmadaSpec(profile="e2e"), SCHEDULER)
    changed = effective_flags(spec_of({"flags": {"v": "9"}, "without": [GATES]}, profile="e2e"), SCHEDULER)

    assert GATES in e2e
    assert changed["v"] == "9"
    assert changed[GATES] is None
    assert GATES not in extra_args(spec_of({"without": [GATES]}, profile="e2e"), SCHEDULER)


@pytest.mark.parametrize(
    ("given", "kept"),
    [({}, {}), ({GATES: "A=true,B=true"}, {"A": "true"}), ({GATES: "Failover=false"}, {"Failover": "false"})],
)
def test_gates_are_merged_into_the_installers_own(given: dict[str, str], kept: dict[str, str]) -> None:
    flags = effective_flags(spec_of({"feature_gates": {"B": False}}), SCHEDULER, given)

    assert gates_of(str(flags[GATES])) == {**kept, "B": "false"}


def test_gates_are_merged_into_the_profiles() -> None:
    before = gates_of(extra_args(KarmadaSpec(profile="e2e"), SCHEDULER)[GATES])
    after = gates_of(extra_args(spec_of({"feature_gates": {"Extra": True}}, profile="e2e"), SCHEDULER)[GATES])

    assert before
    assert after == {**before, "Extra": "true"}


def test_several_values_are_joined_and_named_where_they_cannot_be() -> None:
    spec = spec_of({"flags": {"plugins": ["*", "-A"], "v": "4"}})

    assert extra_args(spec, SCHEDULER) == {"plugins": "*,-A", "v": "4"}
    assert [line.partition(":")[0] for line in several_values(spec)] == [f"components.{SCHEDULER}.flags.plugins"]
