"""The members of the lab's own etcd as objects: what upstream's lack for more than one, and what a spec changes."""

from __future__ import annotations

from typing import Any

import pytest

from deployers.pods.etcd import manifests
from deployers.spec import KarmadaSpec
from lab.component import parse_flags

Json = dict[str, Any]


def made(count: int = 3, **etcd: Any) -> Json:
    spec = KarmadaSpec.model_validate({"etcd": {"members": 3, **etcd.pop("etcd", {})}, **etcd})
    return manifests.stateful_set(spec, "hub/etcd:1", count)


def container(stateful_set: Json) -> Json:
    found: Json = stateful_set["spec"]["template"]["spec"]["containers"][0]
    return found


def test_members_start_at_once_and_find_each_other_before_they_are_ready() -> None:
    peers, clients = manifests.services()

    assert made()["spec"]["podManagementPolicy"] == "Parallel"
    assert peers["spec"]["publishNotReadyAddresses"] is True
    assert made()["spec"]["serviceName"] == peers["metadata"]["name"]
    assert "publishNotReadyAddresses" not in clients["spec"], "clients are sent to members that serve"


def test_only_readiness_needs_a_quorum() -> None:
    probes = {name: probe["httpGet"]["path"] for name, probe in container(made()).items() if name.endswith("Probe")}

    assert probes == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_peers_have_an_authority_of_their_own() -> None:
    flags = parse_flags(container(made())["command"][1:])

    assert flags["peer-trusted-ca-file"] != flags["trusted-ca-file"]
    assert flags["peer-client-cert-auth"] == flags["client-cert-auth"] == "true"


def test_a_members_flags_name_its_own_pod() -> None:
    flags = parse_flags(container(made())["command"][1:])

    assert flags["name"] == "$(POD_NAME)"
    assert flags["initial-advertise-peer-urls"] == "https://$(POD_NAME).etcd.karmada-system.svc.cluster.local:2380"


@pytest.mark.parametrize(("joining", "state"), [(False, "new"), (True, "existing")])
def test_a_member_without_data_joins_only_while_one_is_added(joining: bool, state: str) -> None:
    data = manifests.initial_members(["etcd-0", "etcd-1"], "token", joining=joining)["data"]

    assert data["initial-cluster-state"] == state
    assert [part.partition("=")[0] for part in data["initial-cluster"].split(",")] == ["etcd-0", "etcd-1"]
    keys = {entry["valueFrom"]["configMapKeyRef"]["key"] for entry in container(made())["env"] if "configMapKeyRef" in entry["valueFrom"]}
    assert keys == data.keys()


def test_none_without_data_may_begin_once_the_cluster_has_begun() -> None:
    data = manifests.initial_members(["etcd-0", "etcd-1"], "token", closed=True)["data"]

    assert not {"etcd-0", "etcd-1"} & {part.partition("=")[0] for part in data["initial-cluster"].split(",")}


@pytest.mark.parametrize(("count", "kept"), [(1, 1), (2, 2), (3, 2)])
def test_a_drain_keeps_a_quorum(count: int, kept: int) -> None:
    assert manifests.disruption_budget(count)["spec"]["minAvailable"] == kept


def test_volumes_are_as_the_spec_says() -> None:
    (plain,) = made()["spec"]["volumeClaimTemplates"]
    (chosen,) = made(etcd={"storage": {"size": "20Gi", "storage_class": "fast"}})["spec"]["volumeClaimTemplates"]

    assert plain["spec"]["resources"]["requests"]["storage"] == "8Gi"
    assert "storageClassName" not in plain["spec"]
    assert (chosen["spec"]["resources"]["requests"]["storage"], chosen["spec"]["storageClassName"]) == ("20Gi", "fast")


def test_the_specs_flags_and_environment_are_laid_over() -> None:
    found = container(made(components={"etcd": {"flags": {"log-level": "warn"}, "env": {"GOMAXPROCS": "2"}}}))

    assert parse_flags(found["command"][1:])["log-level"] == "warn"
    assert {"name": "GOMAXPROCS", "value": "2"} in found["env"]
