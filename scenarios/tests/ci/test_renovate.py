"""The rules of .github/renovate.json match every entry of the products that they name."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RULES = json.loads((ROOT / ".github/renovate.json").read_text())["customManagers"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["depNameTemplate"])
def test_a_rule_finds_every_pinned_version_of_its_module(rule: dict[str, list[str]]) -> None:
    file = ROOT / rule["managerFilePatterns"][0].strip("/^$").replace("\\", "")
    pattern = rule["matchStrings"][0].replace("(?<", "(?P<")
    module = rule["depNameTemplate"]

    pinned = [
        entry["version"]
        for product, table in tomllib.loads(file.read_text()).items()
        if product != "schema"
        for entry in table["versions"]
        if module in entry["sums"]
    ]
    assert [found["currentValue"] for found in re.finditer(pattern, file.read_text())] == pinned
