"""A backup in a volume of the host cluster: stored whole by a pod, given back, and restored from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client import CoreV1Api, V1ConfigMap, V1ObjectMeta

from deployers.backup.choose import ArchiveChoice, open_chosen
from deployers.backup.destinations.open import open_destination
from deployers.backup.restore import restore
from deployers.backup.take import back_up, plane_of
from deployers.karmada import Karmada
from deployers.pods.etcd.names import runs_own_etcd
from lab.errors import NotPossible
from scenarios.kit import faults
from scenarios.kit.figures import report_figures

pytestmark = [pytest.mark.needs("PODS"), pytest.mark.thorough, pytest.mark.breaks, pytest.mark.xdist_group("etcd-pods")]
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "backups", "namespace": "default"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "256Mi"}}},
}
URL = "pvc://default/backups/prod"


@pytest.fixture
def claim(karmada: Karmada) -> Iterator[None]:
    """A claim of the host cluster's default class."""
    host = karmada.lab.host.api
    host.apply(CLAIM)
    yield
    host.delete(f"{CLAIMS}/backups")


def list_carriers(karmada: Karmada) -> list[str]:
    """Return the pods that mount a claim for backups."""
    pods = karmada.lab.host.api.items("/api/v1/namespaces/default/pods", labelSelector="app=karmada-lab-backup")
    return [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]


@pytest.mark.usefixtures("claim")
def test_a_volume_gives_back_what_it_took(karmada: Karmada, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with open_destination(URL, lambda: karmada) as volume:
        first = back_up(karmada, volume)
        half = tmp_path / f".unfinished-{first.name}"
        half.write_bytes(b"half")
        volume.put(half, half.name)  # as an interrupted backup leaves it
        assert [each.name for each in volume.list_archives()] == [first.name]
        second = back_up(karmada, volume, keep=1)
        assert [each.name for each in volume.list_archives()] == [second.name]
        assert volume.discard_unfinished(plane_of(karmada)) == [], "the second backup discarded it"
    report_figures(request, backup_seconds=round(second.seconds, 1), bytes=second.size)
    assert list_carriers(karmada) == []


@pytest.mark.usefixtures("claim")
def test_a_restore_from_a_volume_brings_back_what_was(karmada: Karmada, namespace: str, tmp_path: Path) -> None:
    if not runs_own_etcd(karmada.spec):
        pytest.skip("upstream's etcd cannot be restored in place (etcd.members, etcd.storage)")
    maps = CoreV1Api(karmada.client())
    maps.create_namespaced_config_map(namespace, V1ConfigMap(metadata=V1ObjectMeta(name="kept"), data={"a": "b"}))
    with open_destination(URL, lambda: karmada) as volume:
        back_up(karmada, volume)
    maps.delete_namespaced_config_map("kept", namespace)

    choice = ArchiveChoice(url=URL)
    with open_chosen(choice, tmp_path, lambda: karmada, plane=plane_of(karmada)) as (path, chosen):
        restore(karmada, path, chosen=chosen.args)

    assert maps.read_namespaced_config_map("kept", namespace).data == {"a": "b"}
    faults.assert_recovered(karmada)


def test_a_claim_that_does_not_exist_is_refused(karmada: Karmada) -> None:
    with pytest.raises(NotPossible, match="claim"), open_destination("pvc://default/none", lambda: karmada):
        pass
    assert list_carriers(karmada) == []
