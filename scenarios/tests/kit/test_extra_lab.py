"""Labs of tests' own: evidence of a failure outlives them, however the test has its lab."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import evidence
from lab.run import Run
from scenarios.kit import extra_lab as module
from scenarios.kit.extra_lab import EXTRA_LABS, extra_lab


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(lab, reason) of each collection; the lab is none that runs."""
    found: list[tuple[str, str]] = []

    def bring_up(_wanted: object, run_id: str, **_: object) -> SimpleNamespace:
        return SimpleNamespace(lab=SimpleNamespace(run=Run(run_id, tmp_path, {}, 0.0)), karmada=object(), hold=nullcontext())

    def collect(run: Run, reason: str, *, into: Path) -> Path:
        found.append((run.id.partition("-")[0], reason))
        return into

    monkeypatch.setattr(module, "bring_up", bring_up)
    monkeypatch.setattr(module, "prepare", lambda document: document)
    monkeypatch.setattr(evidence, "collect", collect)
    return found


def test_a_test_that_fails_within_leaves_evidence_named_for_it(collected: list[tuple[str, str]]) -> None:
    with pytest.raises(AssertionError), extra_lab({}, name="upgrade"):
        raise AssertionError

    assert collected == [("upgrade", "test_a_test_that_fails_within_leaves_evidence_named_for_it")]
    assert not EXTRA_LABS.runs


def test_one_that_has_it_by_a_fixture_is_collected_by_who_reports_it(collected: list[tuple[str, str]]) -> None:
    with extra_lab({}, name="upgrade"):
        EXTRA_LABS.collect("test_x")

    assert collected == [("upgrade", "test_x")]
    assert EXTRA_LABS.collect("test_y") == []


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("scenarios/test_ids.py::test_a (call)", "test_a"),
        ("scenarios/test_ids.py::Class::test_a[::1 / b] (setup)", "test_a[::1 / b]"),
        ("", "failed"),
    ],
)
def test_evidence_is_named_for_a_test_whatever_its_parameters_are(node: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_CURRENT_TEST", node)

    assert module.current_test() == name
