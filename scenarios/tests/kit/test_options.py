"""pytest's options for the lab of a session, which are the settings of the command line `lab` (lab.settings)."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.settings import SETTINGS
from scenarios.kit import options
from scenarios.tests.settings_fakes import TEXTS, outcome


@pytest.fixture
def of_pytest() -> dict[str, dict[str, Any]]:
    """pytest's options as they are added: name → what says how it is read."""
    added: dict[str, dict[str, Any]] = {}
    group = SimpleNamespace(addoption=lambda name, **how: added.__setitem__(name, how))
    options.pytest_addoption(SimpleNamespace(getgroup=lambda *_: group, addini=lambda *_, **__: None))  # type: ignore[arg-type]  # it takes a group only
    return added


def parser_of(options: dict[str, dict[str, Any]]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    for name, how in options.items():
        parser.add_argument(name, **how)
    parser.add_argument("paths", nargs="*")
    return parser


def test_pytest_has_the_same_settings(of_pytest: dict[str, dict[str, Any]]) -> None:
    for setting in options.SETTINGS:
        how = of_pytest[options.name_option(setting)]
        assert how["help"].startswith(setting.help)
        assert setting.variable in how["help"]
        assert how["default"] is None
        if not setting.opposite:
            assert {outcome(how["type"], text) == outcome(setting.parse, text) for text in TEXTS} == {True}
    for name in set(of_pytest) - {options.name_option(setting) for setting in SETTINGS}:
        assert "KARMADA_LAB" not in of_pytest[name]["help"]


def test_a_wrong_variable_is_a_usage_error_of_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARMADA_LAB_MEMBERS", "many")
    config = SimpleNamespace(getoption=lambda _: None)
    with pytest.raises(pytest.UsageError, match="KARMADA_LAB_MEMBERS"):
        options.session_options(config)  # type: ignore[arg-type]  # it only reads options


def test_an_option_counts_before_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, text in {"KARMADA_LAB": "blue", "KARMADA_LAB_OFFLINE": "1", "KARMADA_LAB_MEMBERS": "5", "KARMADA_LAB_KEEP": "1"}.items():
        monkeypatch.setenv(variable, text)
    monkeypatch.setattr(options, "session_folder", lambda _: tmp_path)
    given = {"offline": False, "members": 2, "artifacts": "_artifacts", "keep": "never"}
    given = {f"lab_{key}": value for key, value in given.items()}
    asked = options.session_options(SimpleNamespace(getoption=given.get, getini=lambda _: ""))  # type: ignore[arg-type]  # it only reads options
    assert (asked["lab"], asked["supply"]["offline"], asked["changes"], asked["keep"]) == ("blue", False, {"members": 2}, "never")


def test_no_option_of_pytest_can_take_a_path_for_its_value(of_pytest: dict[str, dict[str, Any]]) -> None:
    assert not [name for name, how in of_pytest.items() if how.get("nargs") is not None]
    parser = parser_of(of_pytest)
    for name, how in of_pytest.items():
        if how.get("action", "").startswith("store_"):
            assert parser.parse_args([name, "scenarios"]).paths == ["scenarios"]


@pytest.mark.parametrize(
    ("words", "keep"),
    [([], "never"), (["--lab-keep"], "always"), (["--lab-keep-failed"], "failed"), (["--lab-keep", "scenarios"], "always")],
)
def test_a_lab_is_kept_always_or_after_a_failure(of_pytest: dict[str, dict[str, Any]], words: list[str], keep: str) -> None:
    assert parser_of(of_pytest).parse_args(words).lab_keep == keep


@pytest.mark.parametrize(("given", "refused"), [({}, False), ({"spec": "lab.toml"}, True), ({"lab": "one"}, True), ({"members": 3}, True)])
def test_a_snapshot_says_what_its_lab_is_made_of(given: dict[str, Any], refused: bool) -> None:
    config: Any = SimpleNamespace(getoption={"lab_snapshot": "filled"}.get)
    every = {of.word: given.get(of.word) for of in options.SETTINGS}

    if refused:
        with pytest.raises(pytest.UsageError):
            options.snapshot_asked(config, every)
    else:
        assert options.snapshot_asked(config, every) == "filled"
