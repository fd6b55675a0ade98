"""The pod that gives a member's volume the data of a backup."""

from __future__ import annotations

import pytest

from deployers.pods.etcd.manifests import LABELS
from deployers.pods.etcd.seed import MAKE, TAKE, pod, require_receiving
from lab.wait import NotYet


def test_every_member_is_made_for_one_cluster_of_all_under_a_token_of_its_own() -> None:
    made = [pod(f"etcd-{n}", "hub/etcd:1", "token", 3) for n in range(3)]
    commands = [next(each["command"] for each in document["spec"]["initContainers"] if each["name"] == MAKE) for document in made]

    assert len({next(word for word in command if word.startswith("--initial-cluster=")) for command in commands}) == 1
    assert [next(word for word in command if word.startswith("--name=")) for command in commands] == [f"--name=etcd-{n}" for n in range(3)]
    assert all("--initial-cluster-token=token" in command and "--mark-compacted" in command for command in commands)
    assert [document["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] for document in made] == [
        f"data-etcd-{n}" for n in range(3)
    ]


def test_clients_are_not_sent_to_it_and_etcdutl_runs_without_a_shell() -> None:
    document = pod("etcd-0", "hub/etcd:1", "token", 1)
    make = next(each for each in document["spec"]["initContainers"] if each["name"] == MAKE)

    assert not LABELS.items() <= document["metadata"]["labels"].items()
    assert (make["image"], make["command"][0]) == ("hub/etcd:1", "etcdutl")


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({}, False),
        ({"initContainerStatuses": [{"name": TAKE, "state": {"waiting": {}}}]}, False),
        ({"initContainerStatuses": [{"name": MAKE, "state": {"running": {}}}]}, False),
        ({"initContainerStatuses": [{"name": TAKE, "state": {"running": {}}}]}, True),
    ],
)
def test_a_snapshot_is_sent_once_the_first_container_runs(status: dict[str, object], ready: bool) -> None:
    if ready:
        require_receiving({"status": status})
    else:
        with pytest.raises(NotYet):
            require_receiving({"status": status})
