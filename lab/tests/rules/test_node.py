"""Rules for labels, zones and quantities of nodes."""

from __future__ import annotations

from typing import Any

import pytest

from lab.tests.rules_fakes import paths


def labelled(**labels: str) -> dict[str, Any]:
    return {"nodes": [{}, {"count": 2, "labels": labels}]}


@pytest.mark.parametrize(
    "key",
    [
        *("disk type", "", "-a", "a-", "ä", "a/", "/a", "a/b/c", "A.example/x/", "UPPER.example/x", "under_score.example/x"),
        *("a" * 64, f"{'a.' * 127}a/x", f"example.org/{'a' * 64}", "a\n", "a b/c", "a..b/c"),
    ],
)
def test_label_keys_that_kubernetes_refuses(key: str) -> None:
    assert paths(labelled(**{key: "x"})) == [f'members[0].nodes[1].labels["{key}"]']


@pytest.mark.parametrize(
    "key", ["a", "A", "0", "a_b.c-d", "example.org/A_b", "a" * 63, f"{'a.' * 100}a/x", f"{'a' * 64}.b/x", "node-role.kubernetes.io/worker"]
)
def test_label_keys_that_kubernetes_takes(key: str) -> None:
    assert paths(labelled(**{key: "x"})) == []


@pytest.mark.parametrize("value", ["eu west", "a" * 64, "-a", "a.", "ä", "a/b", "a:b", "a\n", " "])
def test_label_values_and_zones_that_kubernetes_refuses(value: str) -> None:
    assert paths(labelled(disk=value)) == ['members[0].nodes[1].labels["disk"]']
    assert paths({"nodes": [{"zone": value, "region": value}]}) == ["members[0].nodes[0].zone", "members[0].nodes[0].region"]
    assert paths(provider="kind", host={"workers": [{"zone": value}]}) == ["host.workers[0].zone"]


@pytest.mark.parametrize("value", ["", "a", "A_b.c", "0", "a" * 63, "true", "1e3"])
def test_label_values_that_kubernetes_takes(value: str) -> None:
    assert paths(labelled(disk=value)) == []


def test_labels_that_the_lab_sets_itself() -> None:
    assert paths(labelled(**{"kubernetes.io/hostname": "x"})) == ['members[0].nodes[1].labels["kubernetes.io/hostname"]']
    zone = "topology.kubernetes.io/zone"
    assert paths({"nodes": [{"zone": "a", "labels": {zone: "b"}}]}) == [f'members[0].nodes[0].labels["{zone}"]']
    assert paths({"nodes": [{"zone": "a", "labels": {zone: "a"}}]}) == []


@pytest.mark.parametrize(
    "key",
    [
        *(
            "node-role.kubernetes.io/worker",
            "kubernetes.io/x",
            "x.kubernetes.io/y",
            "k8s.io/x",
            "a.k8s.io/x",
            "topology.kubernetes.io/rack",
        ),
        *("node-restriction.kubernetes.io/x", "kubernetes.io/arch", "kubernetes.io/os", "kubernetes.io/hostname"),
    ],
)
def test_labels_that_a_kubelet_may_not_set_on_its_own_node(key: str) -> None:
    found = paths({"workers": [{"labels": {key: "x"}}]}, provider="kind")
    assert set(found) == {f'members[0].workers[0].labels["{key}"]'}


@pytest.mark.parametrize(
    "key",
    [
        *("disk", "example.org/x", "node.kubernetes.io/x", "a.node.kubernetes.io/x", "kubelet.kubernetes.io/x", "notkubernetes.io/x"),
        *("topology.kubernetes.io/zone", "node.kubernetes.io/instance-type", "failure-domain.beta.kubernetes.io/zone"),
    ],
)
def test_labels_that_a_kubelet_may_set(key: str) -> None:
    assert paths({"workers": [{"labels": {key: "x"}}]}, provider="kind") == []


@pytest.mark.parametrize(
    "text", ["-1", "-4Gi", "1.5GiB", "4GB", "4 Gi", "", "four", "1e", "0x10", "1_000", "1.2.3", "4gi", "4KI", "∞", "٣", "1\n"]
)
def test_quantities_that_kubernetes_refuses(text: str) -> None:
    assert paths({"nodes": [{"cpu": text, "memory": text}]}) == ["members[0].nodes[0].cpu", "members[0].nodes[0].memory"]


def test_quantities_beyond_what_kubernetes_counts() -> None:
    assert paths({"nodes": [{"cpu": "9223372036854776"}]}) == ["members[0].nodes[0].cpu"]
    assert paths({"nodes": [{"memory": "8Ei"}]}) == ["members[0].nodes[0].memory"]
    assert paths({"nodes": [{"memory": "1e999"}]}) == ["members[0].nodes[0].memory"]
    assert paths({"nodes": [{"pods": 10**30}]}) == ["members[0].nodes[0].pods"]
