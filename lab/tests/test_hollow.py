"""Hollow nodes: what is registered, and what counts as ready."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest
import yaml

from lab import hollow
from lab.api import Api
from lab.hollow import (
    STAGES,
    grace_seconds,
    kwok_configuration,
    lease_seconds,
    missing_holder,
    node_manifests,
    unready_reason,
    wait_managed,
    waits_for_kubelet,
)
from lab.spec import Nodes
from lab.tests.kind_fakes import spec


def test_nodes_are_counted_through_their_groups_and_carry_what_the_spec_says() -> None:
    made = list(node_manifests("m", [Nodes(count=2, cpu="4", zone="a"), Nodes(count=1, labels={"disk": "ssd"})], at=("127.0.0.1", 1)))

    assert [node["metadata"]["name"] for node in made] == ["m-node-0", "m-node-1", "m-node-2"]
    assert made[0]["status"]["allocatable"]["cpu"] == "4"
    assert made[0]["metadata"]["labels"]["topology.kubernetes.io/zone"] == "a"
    assert "topology.kubernetes.io/zone" not in made[2]["metadata"]["labels"]
    assert made[2]["metadata"]["labels"]["disk"] == "ssd"


def test_a_node_that_has_to_have_a_name_has_it_and_the_others_keep_theirs() -> None:
    made = node_manifests("m", [Nodes(), Nodes(name="m-control-plane"), Nodes()], at=("127.0.0.1", 1))

    assert [node["metadata"]["name"] for node in made] == ["m-node-0", "m-control-plane", "m-node-2"]


def test_a_hollow_kubelet_behaves_as_kwoks_own_and_has_no_image_called_fake(tmp_path: Path) -> None:
    for stage in STAGES:
        (tmp_path / stage).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / stage).write_text(f"kind: Stage\nmetadata: {{name: {Path(stage).stem}}}\n")

    options, *stages = yaml.safe_load_all(kwok_configuration(tmp_path))

    assert options["kind"] == "KwokConfiguration"
    assert [stage["metadata"]["name"] for stage in stages] == [*(Path(stage).stem for stage in STAGES), "pod-image-cannot-be-pulled"]
    assert stages[-1]["spec"]["weight"] == 1  # kwok's own have none: where both fit, ours is taken
    assert "Now" not in stages[-1]["spec"]["next"]["statusTemplate"]  # or it would be a change, again and again


def test_a_node_is_registered_ready() -> None:
    (node,) = node_manifests("m", [Nodes(count=1)], at=("127.0.0.1", 1))

    assert unready_reason(node) is None


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ({}, "Ready is not reported"),
        ({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, "Ready is Unknown"),
        ({"status": {"conditions": [{"type": "Ready", "status": "True"}]}, "spec": {"taints": [{"key": "k"}]}}, "tainted k"),
    ],
)
def test_what_keeps_pods_from_a_node_is_named(node: dict[str, object], why: str) -> None:
    assert unready_reason(node) == why


@pytest.mark.parametrize(
    ("pod", "does"),
    [
        ({"metadata": {}, "status": {"phase": "Pending"}}, True),
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Running"}}, True),
        ({"metadata": {}, "status": {"phase": "Running"}}, False),
        ({"metadata": {}, "status": {"phase": "Succeeded"}}, False),
    ],
)
def test_a_pod_waits_for_its_kubelet_to_be_started_or_ended(pod: dict[str, dict[str, str]], does: bool) -> None:
    assert waits_for_kubelet(pod) is does


def test_pods_that_kwok_passed_over_are_looked_at_and_no_others() -> None:
    pods = [
        {"metadata": {"name": name, "namespace": "n", **more}, "spec": {"nodeName": node}, "status": {"phase": phase}}
        for name, node, phase, more in [
            ("new", "hollow", "Pending", {}),
            ("old", "hollow", "Running", {"deletionTimestamp": "now"}),
            ("gone", "hollow", "Pending", {}),
            ("well", "hollow", "Running", {}),
            ("real", "real", "Pending", {}),
        ]
    ]
    changed = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            changed.append(request.url.path)
            return httpx.Response(404 if request.url.path.endswith("/gone") else 200, json={})
        if request.url.path.endswith("/leases"):
            return httpx.Response(
                200,
                json={
                    "metadata": {"resourceVersion": "1"},
                    "items": [{"metadata": {"name": "hollow"}, "spec": {"holderIdentity": "kwok"}}],
                },
            )
        kinds = {"resources": [{"kind": "Pod", "name": "pods", "namespaced": True}]}
        return httpx.Response(200, json={"items": pods} if request.url.path.endswith("/pods") else kinds)

    api = Api("https://api", context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    api.http = httpx.Client(base_url="https://api", transport=httpx.MockTransport(answer))

    wait_managed(api, "m", {"hollow"}, within=5)

    assert changed == [f"/api/v1/namespaces/n/pods/{name}" for name in ("new", "old", "gone")]


def test_a_lease_without_a_holder_is_not_held() -> None:
    assert missing_holder({"spec": {}})
    assert missing_holder({"spec": {"holderIdentity": "kwok"}}) is None


@pytest.mark.parametrize("nodes", [0, 1, 200, 2000, 10_000])
def test_a_lease_never_outlives_the_grace_period_and_renewals_stay_few(nodes: int) -> None:
    assert lease_seconds(nodes) < grace_seconds(nodes)
    assert nodes / (lease_seconds(nodes) / 4) <= 20 or lease_seconds(nodes) == 40


def test_hollow_nodes_beside_real_ones_are_tainted_and_the_real_one_is_not_kwoks() -> None:
    (manifest,) = hollow.node_manifests("member1", spec(nodes=[{"count": 1}]).members[0].nodes, at=("127.0.0.1", 1), alone=False)
    assert manifest["spec"]["taints"] == [{"key": hollow.HOLLOW, "value": "fake", "effect": "NoSchedule"}]
    assert hollow.unready_reason({**manifest}) is None

    files = hollow.KwokFiles(Path("/k"), Path("/c"), Path("/f"))
    part = hollow.kwok_component("m", files, at=("127.0.0.1", 1), nodes=1, needs=(), alone=False)
    assert "manage-all-nodes" not in part.flags
