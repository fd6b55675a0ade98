"""A cluster that a lab has claimed."""

from __future__ import annotations

from lab.existing.claim import take_claim
from lab.existing.footprint import Footprint
from lab.existing.record import ExistingRecord
from lab.run import Run
from lab.tests.existing_fakes import SERVER, MemoryCluster

OURS = Footprint(paths=("/api/v1/namespaces/karmada-system",), labels=("made-by=karmada",), node_labels=("karmada.io/",))


def claimed(run: Run, cluster: MemoryCluster, *, recorded: bool = True) -> ExistingRecord:
    record = ExistingRecord("east", SERVER, "u1", OURS)
    record.write(run)
    cluster.now = 2000.0
    claim = take_claim(cluster.api, run, "east")
    if recorded:
        record = ExistingRecord("east", SERVER, "u1", OURS, claim.since)
        record.write(run)
    cluster.now = 3000.0
    return record
