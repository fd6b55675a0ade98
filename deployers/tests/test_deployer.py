"""Deployers by their names, and the tables that belong to each."""

from __future__ import annotations

import pytest

from deployers.deployer import DEPLOYERS, get_deployer
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
