"""A plan as text, JSON and a GitHub matrix."""

from __future__ import annotations

from scenarios.matrix import show
from scenarios.matrix.durations import Durations
from scenarios.matrix.plan import Planner
from scenarios.matrix.show import timeout_minutes
from scenarios.tests.matrix.planner_fakes import matrix, planner


def test_a_job_times_out_after_three_times_its_duration_or_a_long_default() -> None:
    assert [timeout_minutes(seconds) for seconds in (1, 1200, 90000, None)] == [30, 60, 350, 150]
    known = Durations({"kind-by_binary-1.18.2-1.35.4-smoke": [1.0]})
    rows = show.format_matrix(planner().plan(only=["embedded", "by_binary"]), matrix(), known)["include"]
    assert {row["suite"]: row["timeout_minutes"] for row in rows} == {"smoke": 30, "core": 150}


def test_a_whole_night_is_no_more_jobs_than_github_makes_and_each_may_take_its_time() -> None:
    real = Planner.load()
    night = real.plan("nightly").chosen

    assert len(night) <= show.GITHUB_MOST
    assert all(real.durations.of(cell) * 2 <= timeout_minutes(real.durations.of(cell)) * 60 for cell in night), (
        "none is cut off by its limit"
    )
    assert {cell.suite for cell in night} == set(real.matrix.suites), "a suite with every cell left out is none"


def test_a_plan_for_github_has_all_that_a_job_needs() -> None:
    durations = Durations({"kind-by_binary-1.18.2-1.35.4-smoke": [1200.0]})
    plan = planner().plan(only=["kind", "smoke", "by_binary"])

    assert show.format_matrix(plan, matrix(), durations) == {
        "include": [
            {
                "cell": "kind-by_binary-1.18.2-1.35.4-smoke",
                "provider": "kind",
                "deployer": "by_binary",
                "release": "1.18.2",
                "kubernetes": "1.35.4",
                "suite": "smoke",
                "runs_on": ["x"],
                "timeout_minutes": 60,
            }
        ]
    }
    suites = {"smoke": {"promise": "p", "files": ["test_conformance.py"], "runs_on": ["y"]}, "core": {"promise": "p"}}
    assert [row["runs_on"] for row in show.format_matrix(plan, matrix(suites=suites), durations)["include"]] == [["y"]]
    document = show.make_document(plan, durations)
    assert [cell["seconds"] for cell in document["cells"]] == [1200.0]
    assert len(document["left_out"]) == 7
