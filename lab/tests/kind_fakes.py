"""Lab specs of the kind provider."""

from __future__ import annotations

from typing import Any

from lab.spec import LabSpec


def spec(**changes: Any) -> LabSpec:
    return LabSpec.model_validate({"provider": "kind", "members": [{"name": "member1", **changes}]})
