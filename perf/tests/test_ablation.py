"""The effect of a setting is a pure function of the trials; a series continues only with the same options."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from perf import ablation, failover, judge, profile, shapes
from perf.ablation import AblationRequest
from perf.tests.test_compare import lasting
from perf.tests.trials import bench, trial

SERIES: dict[str, Any] = {
    "asked": {"sizes": shapes.get_shape("short").model_dump() | {"pods": 450}},
    "settings": {"brake": {"title": "a brake", "back": []}},
}


def judged(*without: dict[str, object]) -> dict[str, Any]:
    """Return the evaluation when the profile takes 8 s and something, and each trial without the setting is one of these."""
    trials = [each for n, other in enumerate(without, start=1) for each in (("brake", other), ("profile", lasting(8 + n / 10)))]
    return ablation.evaluate_series(SERIES, dict(enumerate(trials, start=1)))


def test_every_setting_has_the_profile_beside_it_now_before_and_now_after() -> None:
    assert ablation.order_round("abcde", 0) == ["a", "profile", "b", "c", "profile", "d", "e", "profile"]
    assert ablation.order_round("abcd", 1) == ["b", "profile", "c", "d", "profile", "a"]
    assert ablation.order_round("a", 7) == ["a", "profile"]


def test_a_pair_is_two_trials_side_by_side() -> None:
    names = {1: "a", 2: "profile", 3: "b", 5: "a", 6: "profile", 9: "b", 10: "a", 11: "profile"}
    trials: ablation.Trials = {number: (name, {"at": number}) for number, name in names.items()}

    assert [(base["at"], without["at"]) for base, without in ablation.pair_trials(trials, "a")] == [(2, 1), (6, 5), (11, 10)]
    assert [(base["at"], without["at"]) for base, without in ablation.pair_trials(trials, "b")] == [(2, 3)]


def measured(options: AblationRequest, folder: Path, monkeypatch: pytest.MonkeyPatch, *, until: int = 99) -> list[tuple[str, list[str]]]:
    """Measure without a lab; return the folder and the changes of each trial. The one numbered `until` is interrupted."""
    ran: list[tuple[str, list[str]]] = []

    def stand_in(plan: Any, place: Path, *, goal: float | None) -> dict[str, Any]:
        if len(ran) == until:
            raise KeyboardInterrupt
        ran.append((place.name, list(plan.changes)))
        trial(changes=list(plan.changes)).save(place)
        return judge.judge_trial(place, goal=goal)

    monkeypatch.setattr(failover, "run_trial", stand_in)
    ablation.run_rounds(options, ablation.select_settings(options), folder)
    return ran


def test_a_series_is_measured_and_goes_on_and_is_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = AblationRequest(only=["eviction", "events"], rounds=1)
    folder = tmp_path / "series"
    back = {name: list(profile.read_settings("tuned")[name].back) for name in ("events", "eviction")}

    assert measured(request, folder, monkeypatch) == [
        ("001-events", back["events"]),
        ("002-profile", []),
        ("003-eviction", back["eviction"]),
    ]
    with pytest.raises(KeyboardInterrupt):
        measured(replace(request, into=folder), folder, monkeypatch, until=2)
    assert [name for name, _ in measured(replace(request, into=folder), folder, monkeypatch)] == [
        "006-eviction",
        "007-profile",
        "008-events",
    ]

    kept = json.loads((folder / ablation.FILE).read_text())
    assert (kept["kind"], kept["profile"]["trials"]) == ("failover-ablation", 3)
    assert {name: setting["trials"] for name, setting in kept["settings"].items()} == {"events": 2, "eviction": 3}
    capsys.readouterr()
    assert bench("judge", str(folder)) == 0
    assert "eviction: Karmada: eviction rate" in capsys.readouterr().out
    assert json.loads((folder / ablation.FILE).read_text()) | {"at": ""} == kept | {"at": ""}


@pytest.mark.parametrize(
    ("changes", "error"), [({"replicas": 16}, "sizes"), ({"fault": "taint"}, "fault"), ({"profile": "default"}, "settings file")]
)
def test_a_series_does_not_go_on_with_something_else(
    changes: dict[str, Any], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(AblationRequest(only=["events"], rounds=1), tmp_path, monkeypatch)

    with pytest.raises(UsageError, match=error):
        measured(AblationRequest(only=["events"], into=tmp_path, **changes), tmp_path, monkeypatch)


def test_an_interrupted_trial_is_skipped(tmp_path: Path) -> None:
    trial().save(tmp_path / "001-profile")
    trial(complete=False, stopped_by="SIGINT").save(tmp_path / "002-events")
    trial(complete=False, stopped_by="a lab that did not come up").save(tmp_path / "003-events")
    for each in tmp_path.iterdir():
        judge.judge_trial(each, goal=None)

    assert {number: name for number, (name, _) in ablation.read_saved(tmp_path).items()} == {1: "profile", 3: "events"}


def test_a_setting_without_which_it_is_slower_is_worth_something() -> None:
    found = judged(*(lasting(12 + n / 10) for n in range(5)))
    moving = found["settings"]["brake"]["metrics"]["moving_seconds"]

    assert moving["verdict"] == "slower"
    assert moving["factor"] == pytest.approx(1.47, abs=0.02)
    assert "brake: a brake" in ablation.format_ablation(found)
    assert f"{moving['factor']:.2f} × ({moving['low']:.2f} – {moving['high']:.2f}) slower" in ablation.format_ablation(found)
    assert ablation.get_exit_code(found) == 0


def test_a_trial_that_did_not_end_is_reported_and_makes_no_pair() -> None:
    found = judged(lasting(12), lasting(12, complete=False, stopped_by="all pods run: not within 60 s"))

    assert found["settings"]["brake"]["trials"] == 2
    assert found["settings"]["brake"]["metrics"]["moving_seconds"]["pairs"] == 1
    assert "1.48 × inconclusive" in ablation.format_ablation(found)
    assert "without brake: unknown: all pods run: not within 60 s" in ablation.format_ablation(found)
    assert ablation.get_exit_code(found) == 0


def test_what_went_wrong_is_an_exit_code() -> None:
    unended, wrong = lasting(8, complete=False, stopped_by="SIGINT"), lasting(8) | {"verdict": "failed", "why": "no pod is lost: 1 is"}

    assert ablation.get_exit_code(ablation.evaluate_series(SERIES, {1: ("profile", unended)})) == 4
    assert ablation.get_exit_code(ablation.evaluate_series(SERIES, {1: ("profile", lasting(8)), 2: ("brake", wrong)})) == 1
    assert "—" in ablation.format_ablation(ablation.evaluate_series(SERIES, {}))
