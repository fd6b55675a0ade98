"""Deployers by their names, and the tables that belong to each."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from deployers import deployer as deployers_module
from deployers.by_yaml.deployer import ByYaml
from deployers.deployer import DEPLOYERS, ENTRY_POINTS, get_deployer
from deployers.options import refusals
from deployers.spec import KarmadaSpec
from lab.errors import UsageError


def test_an_unknown_deployer_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="by_binary"):
        get_deployer("by_hand")


@pytest.mark.parametrize("deployer", sorted(DEPLOYERS))
@pytest.mark.parametrize(("table", "key", "value"), [("by_chart", "values", "/v"), ("by_binary", "files", {"a.yaml": ""})])
def test_a_table_of_another_deployer_is_refused(deployer: str, table: str, key: str, value: object) -> None:
    asked = KarmadaSpec.model_validate({"deployer": deployer, table: {key: value}})

    lines = [line for line in refusals(asked, get_deployer(deployer).options) if line.startswith(f"{table}.{key}: ")]
    assert bool(lines) == (deployer != table)


@pytest.mark.parametrize(
    ("value", "fails"),
    [
        ("deployers.by_yaml.deployer:ByYaml", ""),
        ("no_such_package:Thing", "loading"),
        ("pathlib:Path", "is no deployer"),
    ],
)
def test_a_deployer_of_another_package_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch, value: str, fails: str) -> None:
    added = [EntryPoint("by_theirs", value, ENTRY_POINTS)]
    monkeypatch.setattr(deployers_module, "entry_points", lambda group: added if group == ENTRY_POINTS else [])

    if fails:
        with pytest.raises(UsageError, match=fails):
            get_deployer("by_theirs")
    else:
        assert isinstance(get_deployer("by_theirs"), ByYaml)
