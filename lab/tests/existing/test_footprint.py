"""What of a footprint is found on a cluster."""

from __future__ import annotations

from dataclasses import asdict

from lab.existing.footprint import Footprint, find_objects
from lab.tests.existing_fakes import MemoryCluster

ALL = Footprint(
    paths=("/api/v1/namespaces/karmada-system", "/api/v1/namespaces/absent"),
    labels=("made-by=karmada",),
    names=(("/api/v1/namespaces", "kruise-.*"), ("/apis/unknown.io/v1/things", ".*")),
    node_labels=("karmada.io/",),
)


def test_objects_are_found_by_path_by_label_by_name_and_as_labels_of_nodes() -> None:
    cluster = MemoryCluster()
    cluster.put("/api/v1/namespaces/karmada-system")
    cluster.put("/api/v1/namespaces/default/configmaps/app", labels={"made-by": "karmada"})
    cluster.put("/api/v1/namespaces/default/configmaps/own", labels={"made-by": "somebody"})
    cluster.put("/api/v1/namespaces/kruise-daemon")
    cluster.put("/api/v1/nodes/one", labels={"karmada.io/etcd": "", "zone": "a"})

    found = find_objects(cluster.api, ALL)

    assert [str(each) for each in found] == [
        "/api/v1/namespaces/default/configmaps/app",
        "/api/v1/namespaces/karmada-system",
        "/api/v1/namespaces/kruise-daemon",
        "label karmada.io/etcd of /api/v1/nodes/one",
    ]
    assert found[0].namespace == "/api/v1/namespaces/default"
    assert found[1].namespace == ""
    assert found[0].created == 1000.0


def test_nothing_is_asked_for_an_empty_footprint() -> None:
    cluster = MemoryCluster()

    assert find_objects(cluster.api, Footprint()) == []
    assert cluster.asked == []


def test_a_footprint_survives_its_record_and_is_united_with_another() -> None:
    assert Footprint.parse(asdict(ALL)) == ALL
    assert ALL | ALL == ALL
    assert (ALL | Footprint(paths=("/x",))).paths == (*ALL.paths, "/x")
