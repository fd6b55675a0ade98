"""A second `lab up` changes no process and no object."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployers.karmada import Karmada
from deployers.up.bring_up import bring_up
from deployers.wanted import prepare
from lab.api import Api
from lab.evidence import list_listable
from lab.supervisor.client import Supervisor
from scenarios.kit.waiting import eventually

WRITTEN_ALL_THE_TIME = {"leases", "events", "clusters"}
"""By whoever runs. What installing writes of a Cluster is its spec, and that shows in its generation."""
WORKS = "/apis/work.karmada.io/"
CLUSTERS = "/apis/cluster.karmada.io/v1alpha1/clusters"


def list_versions(api: Api) -> Iterator[tuple[str, str]]:
    """Yield path and version of every object of every kind in Karmada's API that is not being deleted."""
    for _, root, resource in list_listable(api):
        if resource in WRITTEN_ALL_THE_TIME:
            continue
        for item in api.items(f"{root}/{resource}"):
            metadata = item["metadata"]
            if "deletionTimestamp" in metadata:  # by an earlier test; its controller may be in a back-off of minutes
                continue
            if "resourceVersion" in metadata:  # objects that are computed for each request have none
                yield f"{root}/{resource}/{metadata.get('namespace', '')}/{metadata['name']}", metadata["resourceVersion"]
    for item in api.items(CLUSTERS):
        yield f"{CLUSTERS}/{item['metadata']['name']}", f"generation {item['metadata']['generation']}"


def wait_unchanged(api: Api) -> dict[str, str]:
    """Return the versions of all objects once they stop changing: deletions of earlier tests take a while."""
    seen: list[dict[str, str]] = [{}]

    def check_unchanged() -> dict[str, str]:
        """no object of Karmada's API changes"""
        seen.append(dict(list_versions(api)))
        changing = sorted({name for name, _ in seen[-1].items() ^ seen[-2].items()})
        assert not changing, f"{len(changing)} objects change, such as {changing[0]}"
        return seen[-1]

    return eventually(check_unchanged, within=90, every=2.0)


def list_pids(karmada: Karmada) -> dict[str, int | None]:
    """Return the pid of every program of the lab."""
    status = Supervisor(karmada.run.path).status()
    assert status
    return {name: state.pid for name, state in status.programs.items()}


@pytest.mark.breaks  # nobody else may write meanwhile
def test_up_twice_changes_nothing(karmada: Karmada) -> None:
    run = karmada.run
    objects, programs = wait_unchanged(karmada.api), list_pids(karmada)

    again = bring_up(prepare({**run.asked["lab"], "karmada": run.asked["karmada"]}), run.id, root=run.path.parent, label="up twice")
    again.hold.release()

    assert not again.changed
    assert list_pids(karmada) == programs
    after = dict(list_versions(karmada.api))
    assert after.items() <= objects.items(), "an object is new or has changed"
    # Works of what an earlier test deleted: their controller retries after pauses of minutes.
    assert [path for path in objects.keys() - after.keys() if not path.startswith(WORKS)] == []
