"""Every option of every command and of pytest: a variable has one meaning and one type, and deletes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from lab import environment, settings
from lab import verbs as cli
from lab.errors import UsageError
from lab.machines.container import MARK
from lab.proc import TAG
from lab.settings import NOT_OPTIONS, SETTINGS, Setting
from scenarios.documentation.reference import list_commands
from scenarios.tests.settings_fakes import TEXTS, outcome

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("lab", "deployers", "scenarios", "perf", "reports")
DELETES = {
    *(
        "lab down",
        "lab gc",
        "lab unjoin",
        "lab backup",
        "lab restore",
        "lab upgrade",
        "lab renew",
        "lab stop",
        "lab restart",
        "lab replace",
        "lab operator uninstall",
        "lab snapshot restore",
        "lab snapshot delete",
    ),
    *("lab assets prune", "lab assets verify", "lab images prune", "lab etcd remove", "lab etcd replace", "lab etcd defragment"),
    *("lab etcd renew", "lab addon remove", "lab addon upgrade", "lab machine revert", "lab machine forget"),
}
"""Commands that delete, replace or stop something: of the environment they heed which lab is meant, and nothing else."""
KEEPS = {
    *("lab version", "lab list", "lab export logs", "lab schema", "lab docs reference", "lab docs pictures", "lab bench picture"),
    *("lab up", "lab status", "lab kubeconfig", "lab env", "lab exec", "lab logs", "lab join", "lab verify", "lab conformance"),
    *("lab doctor", "lab bundle", "lab assets list", "lab images list", "lab images build", "lab images lock", "lab images load"),
    *(
        "lab etcd health",
        "lab etcd add",
        "lab etcd grow",
        "lab addon list",
        "lab addon install",
        "lab machine list",
        "lab machine snapshot",
    ),
    *("lab matrix", "lab durations", "lab cell", "lab upstream", "lab lint", "lab rehearse", "lab test", "lab compare", "lab options"),
    *("lab snapshot save", "lab snapshot list", "lab fork"),
    *("lab operator crds", "lab operator run", "lab operator install"),
    *("lab backup list", "lab backup show", "lab backup get", "lab backup keygen", "lab bench"),
    *("lab bench kind", "lab bench machines", "lab bench failover", "lab bench compare", "lab bench ablation", "lab bench judge"),
    *("lab bench diagnosis", "lab diagnose", "lab assets pins", "lab assets pin", "lab docs skew"),
    "lab bench cost-model",
    *(f"lab report {verb}" for verb in ("collect", "build", "summary", "junit", "allure", "judge", "retry")),
}
KNOWN = {*(each.variable for each in SETTINGS), *NOT_OPTIONS, TAG, MARK}


COMMANDS = dict(list_commands(typer.main.get_command(cli.app)))


OPTIONS = [(name, option) for name, each in COMMANDS.items() for option in each.params if option.param_type_name == "option"]


def setting_of(variable: str) -> Setting[Any]:
    return next(each for each in SETTINGS if each.variable == variable)


def test_every_command_is_classified() -> None:
    assert set(COMMANDS) == DELETES | KEEPS
    assert not DELETES & KEEPS


def test_a_variable_is_that_of_a_setting_and_means_what_the_setting_means() -> None:
    found = [(name, option) for name, option in OPTIONS if option.envvar]
    assert {option.envvar for _, option in found} == {each.variable for each in SETTINGS}
    for name, option in found:
        setting = setting_of(option.envvar)
        assert setting.option in option.opts, name
        assert option.help == setting.help, name
    assert not [name for name, each in COMMANDS.items() if each.context_settings.get("auto_envvar_prefix")]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.word)
def test_a_text_has_one_value_in_all_commands(setting: Setting[Any]) -> None:
    for name, option in OPTIONS:
        if option.envvar == setting.variable:
            for text in filter(None, TEXTS):
                assert outcome(converter(option), text) == outcome(setting.parse, text), f"{name} {text!r}"


def converter(option: Any) -> Callable[[str], Any]:
    """Return what a command makes of an option's text."""

    def convert(text: str) -> Any:
        value = option.type.convert(text, option, None)
        return getattr(value, "value", value)

    return convert


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = COMMANDS["lab up"].make_context("up", []).params
    for each in SETTINGS:
        monkeypatch.setenv(each.variable, "")
    assert COMMANDS["lab up"].make_context("up", []).params == plain


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.word)
def test_a_variable_is_read_as_its_option(setting: Setting[Any]) -> None:
    """An empty one is none; a wrong one is named."""
    assert setting.from_environment({setting.variable: ""}) is None
    for text in filter(None, TEXTS):
        wanted = outcome(setting.parse, text)
        if wanted is None:
            with pytest.raises(UsageError, match=setting.variable):
                setting.from_environment({setting.variable: text})
        else:
            assert str(setting.from_environment({setting.variable: text})) == wanted


@pytest.mark.parametrize("name", sorted(DELETES))
def test_what_deletes_heeds_nothing_of_the_environment_but_which_lab(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = COMMANDS[name]
    given = ["x" for each in command.params if each.param_type_name == "argument" and each.required]
    given += [word for each in command.params if each.param_type_name == "option" and each.required for word in (each.opts[0], "x")]
    plain = command.make_context(name, list(given)).params
    for _, option in OPTIONS:
        for word in (*option.opts, *option.secondary_opts):
            monkeypatch.setenv(f"KARMADA_LAB_{word.lstrip('-').upper().replace('-', '_')}", "1")
    monkeypatch.setenv("KARMADA_LAB", "blue")
    found = command.make_context(name, list(given)).params
    if name in {"lab gc", "lab assets prune", "lab assets verify", "lab images prune"} or "lab" not in plain:
        assert found == plain
    else:
        assert found == {**plain, "lab": "blue"}


def test_all_variables_that_files_name_exist() -> None:
    files = [path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts]
    files += [ROOT / "conftest.py", ROOT / "README.md", ROOT / "Makefile", *(ROOT / ".github").rglob("*.yml")]
    assert len(files) > 100
    unknown = {
        f"{path.relative_to(ROOT)}: {variable}"
        for path in files
        for variable in re.findall(r"\bKARMADA_LAB(?:_[A-Z]+)*\b", path.read_text())
        if variable not in KNOWN
    }
    assert unknown == set()


def test_every_variable_is_listed_where_settings_are() -> None:
    assert settings.__doc__
    assert not [name for name in NOT_OPTIONS if name not in settings.__doc__]
    assert len({each.variable for each in SETTINGS}) == len(SETTINGS)


def test_commands_that_are_started_do_not_hear_which_lab_the_caller_exported() -> None:
    """A cell or a benchmark is what its name says; where software comes from is the caller's."""
    caller = {each.variable: "1" for each in SETTINGS} | {"KARMADA_LAB_RUNS": "/runs", "PATH": "/bin"}
    found = environment.inherit_all(caller)
    assert {name for name in found if name in KNOWN} == {
        *("KARMADA_LAB_SOURCE", "KARMADA_LAB_OFFLINE", "KARMADA_LAB_BUNDLE", "KARMADA_LAB_MIRROR", "KARMADA_LAB_IMAGE_REGISTRY"),
        "KARMADA_LAB_RUNS",
    }
