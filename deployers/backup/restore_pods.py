"""Restore a control plane in pods from a backup, in place: what `restore` does for programs, with the lab's own etcd.

All of Karmada is scaled to zero, the volumes of etcd are recreated from the snapshot, and all of it is scaled as before. How many replicas
there were is recorded before, so that an interrupted restore goes on. Certificates, keys and addresses stay: it is the same plane.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from deployers.addons import site
from deployers.backup.archive import SNAPSHOT, Manifest
from deployers.backup.rejoin import rejoin, wait_members_reached
from deployers.backup.requirements import require_plane, require_versions
from deployers.backup.take import scratch_directory
from deployers.backup.verify import verify
from deployers.checks import description
from deployers.checks.rollout import wait_rollout
from deployers.etcd.pod import PodEtcdClient
from deployers.etcd.tools import Etcdutl
from deployers.karmada import Karmada
from deployers.members.registry import CLUSTERS
from deployers.names import LEASES, NAME, NAMESPACE, REVISION_BUMP
from deployers.plane import objects, pending_operation
from deployers.plane.leases import path_of
from deployers.pods import workloads
from deployers.pods.etcd.install import member_count, record_token, wait_own_etcd
from deployers.pods.etcd.names import ETCD, OWN_ETCD, runs_own_etcd
from deployers.pods.etcd.seed import seed_volumes
from deployers.pods.keys import read_plane_keys
from lab.api import Api
from lab.errors import LabError, NotPossible
from lab.hints import command
from lab.steps import Step, StepObserver, execute
from lab.wait import NotYet, until

Json = dict[str, Any]
WHAT = "a restore"
OPERATOR, API_SERVER = "karmada-operator", "karmada-apiserver"
WITHIN = 240.0


def restore_in_pods(
    karmada: Karmada, path: Path, *, chosen: Sequence[str] = (), watcher: StepObserver | None = None
) -> tuple[Manifest, float, float, int | None]:
    """Restore a control plane in pods; return the manifest, seconds without service, the backup's age, and how many revisions were lost.

    Unusable, NotPossible or UsageError, with nothing touched: as `restore.restore`, or its etcd is upstream's own, or the host cluster is
    not the lab's. After a failure the same command goes on.
    """
    require_volumes(karmada)
    host = karmada.lab.host.api
    with scratch_directory(karmada.run) as folder:
        manifest = verify(path, folder, Etcdutl.found(karmada.machine, karmada.supply))
        require_versions(manifest, karmada.release, karmada.spec.kubernetes, path)
        require_plane(manifest, read_plane_keys(host)["ca.crt"], path)
        age, lost = time.time() - manifest.taken, count_lost(karmada, manifest)
        began = time.monotonic()
        again = command("restore", *(chosen or [str(path)]), lab=karmada.run.id)
        replicas = replicas_of(karmada)
        with pending_operation.hold_pending(karmada.run, WHAT, again=again, path=" ".join(chosen) or str(path), replicas=replicas):
            execute(steps(karmada, folder, manifest, replicas), karmada.run, watcher=watcher)
        seconds = time.monotonic() - began
    description.save(karmada)
    karmada.run.journal("restored", path=" ".join(chosen) or str(path), seconds=round(seconds, 3), age=round(age, 3), lost=lost)
    return manifest, seconds, age, lost


def require_volumes(karmada: Karmada) -> None:
    """Raise NotPossible for an etcd with volumes that cannot be written from here."""
    if not runs_own_etcd(karmada.spec):
        raise NotPossible(
            "the etcd that upstream's installer brings cannot be restored in place: its data is in a directory of a node",
            where=str(karmada.run.path),
            remedy=OWN_ETCD,
        )
    if karmada.lab.spec.host.kubeconfig:
        raise NotPossible(
            "a restore needs an image on the nodes of the host cluster that only clusters of the lab have",
            where=str(karmada.lab.spec.host.kubeconfig),
            remedy=f"restore by etcdutl on that cluster; what is in the backup: {command('verify', 'ARCHIVE', lab=karmada.run.id)}",
        )


def replicas_of(karmada: Karmada) -> dict[str, int]:
    """Return how many replicas each workload but etcd is to have again; those recorded by an interrupted restore come first."""
    known = (pending_operation.facts_of(karmada.run, WHAT) or {}).get("replicas")
    found = {f"{each.kind}/{each.name}": each.replicas for each in workloads.workloads(karmada.lab.host.api) if each.name != ETCD}
    return dict(known) if known else found


def count_lost(karmada: Karmada, manifest: Manifest) -> int | None:
    """Return how many revisions etcd is past a backup; None when it does not answer."""
    try:
        written = PodEtcdClient.of(karmada).health().revision - manifest.revision
    except LabError:
        return None
    return written if 0 <= written < REVISION_BUMP else None


def steps(karmada: Karmada, folder: Path, manifest: Manifest, replicas: dict[str, int]) -> list[Step]:
    """Return the steps, one after the other."""
    modes = {member.name: member.mode for member in karmada.spec.members}
    acts: list[tuple[str, Callable[[], object]]] = [
        ("ended", partial(stop_all, karmada.lab.host.api, replicas)),
        ("seeded", partial(seed, karmada, folder, manifest)),
        ("etcd", partial(wait_own_etcd, karmada)),
        ("apiserver", partial(start, karmada.lab.host.api, replicas, only=API_SERVER)),
        ("leases", partial(drop_leases, karmada)),
        ("karmada", partial(start, karmada.lab.host.api, replicas)),
        ("settled", partial(wait_settled, karmada)),
        *((f"{member.name}-attached", partial(rejoin, karmada, member, modes[member.name])) for member in karmada.members),
        ("reached", partial(wait_members_reached, karmada)),
    ]
    needs: list[tuple[str, ...]] = [(), *((f"restore/{name}",) for name, _ in acts)]
    return [Step(f"restore/{name}", act, need) for (name, act), need in zip(acts, needs, strict=False)]


def drop_leases(karmada: Karmada) -> None:
    """Delete the leases in the backup: their holders are gone, and controllers would wait until each has expired."""

    def answers() -> None:
        if not karmada.api.answers():
            raise NotYet(f"{karmada.api.server}/readyz does not return ok")

    until(answers, what="karmada-apiserver serves", within=WITHIN, every=0.5)
    for name, namespace in LEASES.items():
        karmada.api.delete(path_of(namespace, name))


def wait_settled(karmada: Karmada) -> None:
    """Return when aggregated APIs answer again, and each controller holds its lease."""
    aggregated = [each["metadata"]["name"] for each in karmada.api.items(objects.SERVICES) if each["spec"].get("service")]
    objects.wait_available(karmada.api, aggregated)
    objects.wait_answers(karmada.api, CLUSTERS)
    wait_rollout(karmada)


def scale(host: Api, name: str, count: int) -> None:
    """Set the replicas of a workload, given as kind/name."""
    kind, _, plain = name.partition("/")
    host.patch(f"/apis/apps/v1/namespaces/{NAMESPACE}/{kind}/{plain}", {"spec": {"replicas": count}})


def stop_all(host: Api, replicas: dict[str, int]) -> None:
    """Scale all of Karmada to none, an operator first; return when no pod of it is left."""
    for name in sorted(replicas, key=lambda name: not name.endswith(f"/{OPERATOR}")):
        scale(host, name, 0)
    scale(host, f"statefulsets/{ETCD}", 0)
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"

    def gone() -> None:
        selectors = [each.selector for each in workloads.workloads(host)]
        left = [pod["metadata"]["name"] for each in selectors for pod in host.items(pods, labelSelector=each)]
        for name in left:  # what it would still write is undone anyway
            host.delete(f"{pods}/{name}", gracePeriodSeconds="1")
        if left:
            raise NotYet(", ".join(left))

    until(gone, what="no pod of Karmada is left", within=WITHIN, every=1.0)


def seed(karmada: Karmada, folder: Path, manifest: Manifest) -> None:
    """Give etcd's volumes the backup's data, as a new cluster, and start etcd."""
    host, count = karmada.lab.host.api, member_count(karmada)
    stateful = host.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{ETCD}")
    image = stateful["spec"]["template"]["spec"]["containers"][0]["image"]
    token = record_token(karmada, f"karmada-{uuid.uuid4().hex[:8]}")
    seed_volumes(karmada, folder / SNAPSHOT, image=image, token=token, count=count)
    karmada.run.forget(NAME, "crds")  # which were applied to what was there before
    if manifest.addons is not None:
        site.restore_records(karmada.run, karmada.name, manifest.addons)
    karmada.run.journal("seeded", revision=manifest.revision, members=count)
    scale(host, f"statefulsets/{ETCD}", count)


def start(host: Api, replicas: dict[str, int], *, only: str | None = None) -> None:
    """Scale workloads as they were; return when their pods are ready."""
    chosen = {name: count for name, count in replicas.items() if only is None or name.endswith(f"/{only}")}
    for name, count in chosen.items():
        scale(host, name, count)
    workloads.wait_serving(host, [name.partition("/")[2] for name in chosen], only=True, within=WITHIN)
