"""Put the data of a backup into the volumes of the lab's own etcd in pods, while none of its members runs.

A pod for each volume: its first container takes the snapshot from this computer, its second is etcdutl, which makes a member's data of it,
its last one puts these in the place of those before. etcd's image needs no shell for it; the other is the test application that every node
of a lab has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deployers.karmada import Karmada
from deployers.names import NAMESPACE, REVISION_BUMP
from deployers.plane.objects import map_concurrently
from deployers.pods.etcd import manifests
from deployers.pods.etcd.manifests import DATA
from deployers.pods.etcd.names import NAMESPACED, member_names, peer_address
from deployers.pods.kubectl import kubectl_args
from deployers.spec import EtcdStorage
from lab.errors import ProvisionError
from lab.images.applications import WEB
from lab.wait import NotYet, until

Json = dict[str, Any]
TAKE, MAKE = "take", "make"
RECEIVED = f"{DATA}/received"
WITHIN = 300.0
RECEIVE = f"busybox rm -rf {DATA}/snapshot {DATA}/restored && busybox cat > {DATA}/snapshot && busybox touch {RECEIVED}"
EXCHANGE = f"busybox rm -rf {DATA}/data && busybox mv {DATA}/restored {DATA}/data && busybox rm -f {DATA}/snapshot {RECEIVED}"


def seed_volumes(karmada: Karmada, snapshot: Path, *, image: str, token: str, count: int) -> None:
    """Make the volume of each of so many members hold the backup's data, for a cluster with this token.

    ProvisionError, with the log of etcdutl, when a volume cannot be made so.
    """
    map_concurrently(lambda name: seed_volume(karmada, snapshot, name, pod(name, image, token, count)), member_names(count))


def seed_volume(karmada: Karmada, snapshot: Path, name: str, document: Json) -> None:
    """Make one volume hold the backup's data."""
    host = karmada.lab.host.api
    claim = manifests.volume_claim(karmada.spec.etcd.storage or EtcdStorage())
    claimed = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim, "metadata": manifests.metadata(f"data-{name}")}
    seeder = document["metadata"]["name"]
    host.delete(f"{NAMESPACED}/pods/{seeder}", gracePeriodSeconds="0")  # of a restore that was interrupted
    host.until_gone(f"{NAMESPACED}/pods/{seeder}", what=f"the pod {seeder} of before is deleted", within=60.0)
    if host.find(f"{NAMESPACED}/persistentvolumeclaims/data-{name}") is None:
        host.apply(claimed)
    host.apply(document)
    until(lambda: require_receiving(host.get(f"{NAMESPACED}/pods/{seeder}")), what=f"{seeder} takes a snapshot", within=WITHIN, every=0.5)
    kubectl = kubectl_args(karmada)
    argv = (*kubectl, "exec", "--stdin", seeder, "--container", TAKE, "--", "busybox", "sh", "-c", RECEIVE)
    karmada.machine.run(argv, input=snapshot.read_bytes(), within=600.0)

    def done() -> None:
        status = host.get(f"{NAMESPACED}/pods/{seeder}").get("status") or {}
        if status.get("phase") == "Failed":
            log = host.request("GET", f"{NAMESPACED}/pods/{seeder}/log", container=MAKE).text
            raise ProvisionError(f"etcdutl could not restore {name}", where=f"pod {seeder}", detail=log[-2000:])
        if status.get("phase") != "Succeeded":
            raise NotYet(f"it is {status.get('phase')}")

    until(done, what=f"{name} has the backup's data", within=WITHIN, every=0.5)
    host.delete(f"{NAMESPACED}/pods/{seeder}", gracePeriodSeconds="0")


def require_receiving(seeder: Json) -> None:
    """Return when the first container of a seeding pod runs; NotYet before."""
    states = (seeder.get("status") or {}).get("initContainerStatuses") or []
    if not any(state["name"] == TAKE and "running" in (state.get("state") or {}) for state in states):
        raise NotYet(str((states[0].get("state") if states else None) or (seeder.get("status") or {}).get("phase")))


def pod(name: str, image: str, token: str, count: int) -> Json:
    """Return the pod that seeds the volume of one member."""
    mounts = {"volumeMounts": [{"name": "data", "mountPath": DATA}], "imagePullPolicy": "IfNotPresent"}
    cluster = ",".join(f"{each}={peer_address(each)}" for each in member_names(count))
    restore = [
        *("etcdutl", "snapshot", "restore", f"{DATA}/snapshot", f"--name={name}", f"--data-dir={DATA}/restored"),
        *(f"--initial-cluster={cluster}", f"--initial-cluster-token={token}", f"--initial-advertise-peer-urls={peer_address(name)}"),
        *(f"--bump-revision={REVISION_BUMP}", "--mark-compacted"),
    ]
    wait = f"until [ -e {RECEIVED} ]; do busybox sleep 0.2; done"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{name}-seed", "namespace": NAMESPACE, "labels": {"app": "etcd-seed"}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "initContainers": [
                {"name": TAKE, "image": WEB, "command": ["busybox", "sh", "-c", wait], **mounts},
                {"name": MAKE, "image": image, "command": restore, **mounts},
            ],
            "containers": [{"name": "exchange", "image": WEB, "command": ["busybox", "sh", "-c", EXCHANGE], **mounts}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}],
        },
    }
