"""A lab of the embedded provider that is not up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.cluster import Lab
from lab.run import Run
from lab.spec import LabSpec, parse


def a_lab(folder: Path, **document: Any) -> Lab:
    spec = parse(LabSpec, {"members": [{"name": "member1"}], **document}, source="test")
    return Lab.open(Run.create("golden", {"lab": spec.model_dump(mode="json")}, root=folder))
