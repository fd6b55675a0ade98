"""To bring up what is up, and to install what is installed, changes nothing: no process, no object."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployers.bring_up import bring_up, prepare
from deployers.karmada import Karmada
from lab.api import Api
from lab.supervisor.client import Supervisor

WRITTEN_ALL_THE_TIME = {"leases", "events", "clusters"}
"""By whoever runs; what installing writes of a Cluster is its spec, and that shows in its generation."""


def versions(api: Api) -> Iterator[tuple[str, str]]:
    """Yield path and resourceVersion of every object of Karmada's API, of whatever kind."""
    roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"])]
    for root in roots:
        for resource in api.get(root)["resources"]:
            if "list" not in resource["verbs"] or resource["name"] in WRITTEN_ALL_THE_TIME:
                continue
            for item in api.items(f"{root}/{resource['name']}"):
                metadata = item["metadata"]
                yield f"{root}/{resource['name']}/{metadata.get('namespace', '')}/{metadata['name']}", metadata["resourceVersion"]


@pytest.mark.breaks  # nobody else may write meanwhile
def test_up_twice_changes_nothing(karmada: Karmada) -> None:
    run = karmada.run
    wanted = prepare({**run.asked["lab"], "karmada": run.asked["karmada"]})
    before = dict(versions(karmada.api))
    programs = Supervisor(run.path).status()
    clusters = {
        item["metadata"]["name"]: item["metadata"]["generation"] for item in karmada.api.items("/apis/cluster.karmada.io/v1alpha1/clusters")
    }
    assert programs

    again = bring_up(wanted, run.id, root=run.path.parent, label="up twice")
    again.hold.release()

    after = Supervisor(run.path).status()
    assert after
    assert not again.changed
    assert {name: state.pid for name, state in after.programs.items()} == {name: state.pid for name, state in programs.programs.items()}
    assert {
        item["metadata"]["name"]: item["metadata"]["generation"] for item in karmada.api.items("/apis/cluster.karmada.io/v1alpha1/clusters")
    } == clusters
    assert dict(versions(karmada.api)) == before
