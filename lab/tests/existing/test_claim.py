"""A cluster that exists belongs to one lab at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import NotPossible
from lab.existing.claim import PATH, take_claim
from lab.run import Run
from lab.tests.claim_fakes import claimed
from lab.tests.existing_fakes import MemoryCluster


def test_a_second_lab_cannot_claim(run: Run, cluster: MemoryCluster, tmp_path: Path) -> None:
    claimed(run, cluster)
    other = Run.create("green", {"lab": {}}, root=tmp_path)

    assert take_claim(cluster.api, run, "east").lab == "blue"
    with pytest.raises(NotPossible, match="blue"):
        take_claim(cluster.api, other, "east")
    assert PATH in cluster.objects
