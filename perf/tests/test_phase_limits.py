"""The floors are arithmetic on settings; those of upstream's defaults match published measurements."""

from __future__ import annotations

import pytest

from perf.phase_limits import PhaseLimit, compute_refill_seconds, list_phase_limits, parse_duration


def floors(
    bindings: int, *, fault: str = "apiserver", mode: str = "push", rate: float | None = 100.0, **flags: str
) -> dict[str, PhaseLimit]:
    settings = {"karmada-controller-manager": {name.replace("_", "-"): value for name, value in flags.items()}}
    found = list_phase_limits(settings, bindings=bindings, pods=40_000, fault=fault, mode=mode, rate=rate)
    return {each.phase: each for each in found}


@pytest.mark.parametrize(("bindings", "seconds"), [(400, 265), (4000, 2665), (40_000, 26_665)])
def test_eviction_at_defaults_is_one_and_a_half_bindings_a_second(bindings: int, seconds: float) -> None:
    assert floors(bindings)["evict"].floor == pytest.approx(seconds, abs=1)


def test_a_higher_rate_is_capped_by_the_shared_limiter_until_that_is_raised() -> None:
    assert floors(4000, resource_eviction_rate="50")["evict"].floor == pytest.approx(390)
    raised = floors(4000, resource_eviction_rate="50", rate_limiter_qps="200", rate_limiter_bucket_size="400")
    assert raised["evict"].floor == pytest.approx(26.6, abs=0.1)


def test_a_rate_of_zero_has_no_floor_to_tell() -> None:
    assert floors(400, resource_eviction_rate="0")["evict"].floor is None


def test_the_scheduler_is_bound_by_its_client() -> None:
    assert floors(4000)["reschedule"].floor == pytest.approx(298.5)


@pytest.mark.parametrize(
    ("fault", "mode", "seconds"),
    [("apiserver", "push", 10), ("apiserver", "pull", 30), ("member", "pull", 24), ("taint", "push", 0), ("link", "push", 42)],
)
def test_detection(fault: str, mode: str, seconds: float) -> None:
    found = floors(1, fault=fault, mode=mode, cluster_failure_threshold="10s", cluster_monitor_grace_period="32s")

    assert found["detect"].floor == seconds


def test_the_works_of_a_pull_member_are_applied_by_an_agent_at_its_defaults() -> None:
    def apply(mode: str) -> float | None:
        return floors(4060, mode=mode, kube_api_qps="4000", cluster_api_qps="4000")["apply"].floor

    assert apply("pull") == pytest.approx(100)
    assert apply("push") == pytest.approx(4.045)


def test_starting_is_bound_by_the_survivor_or_not_known() -> None:
    assert floors(1)["start"].floor == 400
    assert floors(1, rate=None)["start"].floor is None


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("1m30s", 90), ("250ms", 0.25), ("1h", 3600)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("bindings", "since", "seconds"),
    [(400, 400, 100), (400, 1000, 0), (40, 0, 0), (400, 0, 200)],
    ids=["partly refilled", "long ago", "few of them leave enough", "it is empty"],
)
def test_a_bucket_is_full_again_after_so_long(bindings: int, since: float, seconds: float) -> None:
    settings = {"karmada-controller-manager": {"kube-api-qps": "20", "kube-api-burst": "4000"}}

    assert compute_refill_seconds(settings, bindings=bindings, since=since) == seconds
