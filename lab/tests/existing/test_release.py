"""A cluster is left as it was: what is older than the claim, and what no footprint names, stays."""

from __future__ import annotations

import pytest

from lab.errors import LeakError
from lab.existing.footprint import FoundObject
from lab.existing.record import ExistingRecord, list_claimed
from lab.existing.release import choose_deletable, release_all
from lab.run import Run
from lab.tests.claim_fakes import OURS, claimed
from lab.tests.existing_fakes import SERVER, MemoryCluster

LABELLED = {"made-by": "karmada"}


@pytest.mark.parametrize("recorded", [True, False])  # killed between making the claim and recording since when it is
def test_what_was_put_there_goes_and_what_was_there_stays(run: Run, cluster: MemoryCluster, recorded: bool) -> None:
    cluster.put("/api/v1/namespaces/default/configmaps/old", labels=LABELLED)
    cluster.put("/api/v1/nodes/one", labels={"zone": "a"})
    before = {path: dict(item["metadata"]) for path, item in cluster.objects.items()}
    claimed(run, cluster, recorded=recorded)
    cluster.put("/api/v1/namespaces/karmada-system")
    cluster.put("/api/v1/namespaces/karmada-system/secrets/key", labels=LABELLED)
    cluster.put("/api/v1/namespaces/default/configmaps/new", labels=LABELLED)
    cluster.objects["/api/v1/nodes/one"]["metadata"]["labels"] = {"zone": "a", "karmada.io/etcd": ""}

    removed = release_all(run)

    assert {path: item["metadata"] for path, item in cluster.objects.items()} == before
    assert len(removed) == 3
    assert list_claimed(run.path) == []
    assert release_all(run) == []


def test_a_record_without_a_claim_deletes_nothing(run: Run, cluster: MemoryCluster) -> None:
    ExistingRecord("east", SERVER, "u1", OURS).write(run)
    cluster.put("/api/v1/namespaces/karmada-system")

    release_all(run)

    assert "/api/v1/namespaces/karmada-system" in cluster.objects
    assert list_claimed(run.path) == []


def test_another_cluster_at_that_address_is_not_touched(run: Run, cluster: MemoryCluster) -> None:
    claimed(run, cluster)
    cluster.put("/api/v1/namespaces/kube-system", uid="rebuilt")
    cluster.put("/api/v1/namespaces/karmada-system")

    with pytest.raises(LeakError) as raised:
        release_all(run)

    assert "another cluster" in (raised.value.detail or "")
    assert "/api/v1/namespaces/karmada-system" in cluster.objects
    assert list_claimed(run.path) == ["east"]


def test_objects_that_go_with_their_namespace_or_are_going_are_not_deleted_singly() -> None:
    namespace = FoundObject("/api/v1/namespaces/a")
    inside = FoundObject("/apis/apps/v1/namespaces/a/deployments/web")
    outside = FoundObject("/apis/apps/v1/namespaces/b/deployments/web")
    leaving = FoundObject("/api/v1/namespaces/c", leaving=True)

    assert choose_deletable([namespace, inside, outside, leaving]) == [namespace, outside]
