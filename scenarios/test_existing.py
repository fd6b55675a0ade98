"""A lab adopts existing clusters and leaves them unchanged when it is taken down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.deployer import runs_in_pods
from deployers.karmada import Karmada
from deployers.members.leftovers import listable_kinds
from deployers.members.registry import list_members
from deployers.up.bring_up import bring_up
from deployers.wanted import prepare
from lab.api import Api, Refused
from lab.cluster import Cluster
from lab.errors import NotPossible
from lab.existing.claim import PATH
from lab.ledger import take_census
from lab.run import runs_root
from scenarios.kit.extra_lab import extra_lab
from scenarios.kit.extra_members import spare_cluster

CHANGING = frozenset({"events", "leases", "nodes", "componentstatuses"})
"""Kinds that a cluster keeps writing by itself, and one that is computed."""


def read_objects(api: Api) -> dict[str, str]:
    """Return the uid and resourceVersion of every object of a cluster: an object with both the same is the same, byte for byte."""
    found = {}
    for root, resource in listable_kinds(api):
        if resource["name"] in CHANGING:
            continue
        try:
            items = api.items(f"{root}/{resource['name']}")
        except Refused as refused:
            if refused.status in {404, 405}:  # deleted since discovery, or not listable
                continue
            raise
        for item in items:
            metadata = item["metadata"]
            name = f"{root}/{resource['name']}/{metadata.get('namespace', '')}/{metadata['name']}"
            found[name] = f"{metadata['uid']} {metadata['resourceVersion']}"
    return found


def make_document(host: Cluster, member: Path) -> dict[str, Any]:
    given = {"name": "east", "mode": "pull", "kubeconfig": str(member)}
    return {"provider": "existing", "host": {"kubeconfig": str(host.kubeconfig)}, "members": [given], "karmada": {}}


@pytest.mark.needs("MACHINES")
@pytest.mark.xdist_group("spare")
def test_clusters_that_exist_are_taken_by_one_lab_and_left_as_they_were(karmada: Karmada, tmp_path: Path) -> None:
    host = karmada.lab.host
    if runs_in_pods(karmada):
        pytest.skip("the host cluster has this Karmada, so no other lab may take it")
    with spare_cluster(karmada) as spare:
        before = {cluster.name: read_objects(cluster.api) for cluster in (host, spare)}
        moved = tmp_path / "config"  # as a user has it, elsewhere
        moved.write_bytes(spare.kubeconfig.read_bytes())
        document = make_document(host, moved)

        with extra_lab(document, name="existing") as own:
            assert list_members(own)["east"].ready
            assert {item.name for item in take_census(own.run.path) if item.kind == "claimed cluster"} == {host.name, "east"}
            assert own.lab.member("east").kubeconfig.stat().st_mode & 0o777 == 0o600
            with pytest.raises(NotPossible) as raised:
                bring_up(prepare(document), "second")
            assert own.run.id in (raised.value.detail or "")
            assert not (runs_root() / "second").exists()
            moved.unlink()

        assert host.api.find(PATH) is None
        assert {cluster.name: read_objects(cluster.api) for cluster in (host, spare)} == before


@pytest.mark.needs("MACHINES")
def test_a_member_of_a_karmada_is_not_taken(karmada: Karmada) -> None:
    member = karmada.members[0]

    with pytest.raises(NotPossible) as raised:
        bring_up(prepare(make_document(karmada.lab.host, member.kubeconfig)), "taken")

    assert "karmada-cluster" in (raised.value.detail or "")
    assert not (runs_root() / "taken").exists()
    assert member.api.find(PATH) is None
