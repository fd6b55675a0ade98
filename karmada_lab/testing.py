"""What tests are written with, beside the fixtures: placements, waiting, and the types of the fixtures for annotations.

from karmada_lab.testing import Karmada, Workloads, divide_among

def test_replicas_follow_the_weights(karmada: Karmada, workload: Workloads) -> None:
    web = workload(replicas=6, placement=divide_among({"member1": 1, "member2": 2}))
    assert web.until_ready() == {"member1": 2, "member2": 4}
"""

from __future__ import annotations

from deployers.karmada import Karmada
from lab.cluster import Cluster, Lab
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workload, Workloads, divide_among, duplicate_on

__all__ = ["Cluster", "Karmada", "Lab", "Workload", "Workloads", "divide_among", "duplicate_on", "eventually"]
