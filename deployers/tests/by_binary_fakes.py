"""What the preflight of by_binary finds."""

from __future__ import annotations

from typing import Any

from deployers.deployer import get_deployer
from deployers.spec import KarmadaSpec
from lab.spec import LabSpec, parse


def found(**table: Any) -> list[str]:
    lab = parse(LabSpec, {"members": [{"name": "member1"}]}, source="test")
    return get_deployer("by_binary").check(KarmadaSpec.model_validate({"members": [{"name": "member1"}], **table}), lab)
