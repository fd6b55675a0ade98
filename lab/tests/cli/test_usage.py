"""Every verb refuses a lab, a file or a name that does not exist: exit code 2, before anything is created."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.tests.cli_fakes import invoke


@pytest.mark.parametrize(
    "words",
    [
        "addon list --lab none",
        "compare one other",
        "conformance --lab none",
        "diagnose --lab none",
        "etcd health --lab none",
        "export logs --lab none",
        "machine list --lab none",
        "replace machine1 --lab none",
        "renew --lab none",
        "restart host/etcd --lab none",
        "stop host/etcd --lab none",
        "unjoin member1 --lab none",
        "upgrade 1.18.2 --lab none",
        "upstream --list --lab none",
    ],
)
def test_a_lab_that_does_not_exist_is_a_usage_error(words: str, tmp_path: Path) -> None:
    done = invoke(*words.split(), KARMADA_LAB_RUNS=str(tmp_path))

    assert (done.code, done.out) == (2, "")
    assert "lab 'none'" in done.err or "lab 'one'" in done.err


@pytest.mark.parametrize(
    ("words", "noun"),
    [
        ("bundle", "FILE"),
        ("cell none", "none"),
        ("durations none", "none"),
        ("lint none", "none"),
        ("matrix --only none", "none"),
        pytest.param("rehearse none.yml", "none.yml", marks=pytest.mark.spawns),  # asks git for the commit
        ("restore none.tar", "none.tar"),
        ("verify none.tar", "none.tar"),
        ("up --release none/karmada", "none/karmada"),
        ("bench kind --rounds 0", "rounds"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(words: str, noun: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    done = invoke(*words.split(), KARMADA_LAB_RUNS=str(tmp_path))

    assert done.code == 2
    assert noun in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["assets list", pytest.param("images list", marks=pytest.mark.spawns), "options", "version"])
def test_what_needs_no_lab_answers_without_one(words: str, tmp_path: Path) -> None:
    done = invoke(*words.split(), KARMADA_LAB_RUNS=str(tmp_path), XDG_CACHE_HOME=str(tmp_path), KARMADA_LAB_CACHE=str(tmp_path))

    assert done.code == 0
    assert done.out


def test_scenarios_are_run_in_a_checkout_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert invoke("test").code == 3
