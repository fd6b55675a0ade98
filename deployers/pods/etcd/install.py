"""Install the lab's own etcd as pods, which upstream's installers then use as an external one.

`apply_own_etcd` and `wait_own_etcd` are two acts, so that an installer's own work can go on while members start.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

from deployers.karmada import Karmada
from deployers.names import NAMESPACE
from deployers.plane import objects
from deployers.plane.certificates import pair
from deployers.pods.etcd import manifests
from deployers.pods.etcd.certificates import CALLER, CLIENTS, make_certificates, pki_folder, secrets
from deployers.pods.etcd.names import ETCD, PREFIX, SERVER, member_names, runs_own_etcd
from deployers.pods.etcd.seed import seed_volumes
from deployers.pods.workloads import wait_serving
from deployers.spec import EtcdStorage, ExternalEtcd
from lab.api import Json

SEED = ("karmada", "own-etcd-seed")
"""Kind and name of the record of a snapshot that the lab's own etcd is to begin with: the path of its file."""
RECORD = ("karmada", "own-etcd")
"""Kind and name of the record of this run's own etcd: the token of its cluster, and how many members `lab etcd` has given it."""
STATEFUL_SET = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{ETCD}"
WITHIN = 180.0


def for_installer(karmada: Karmada) -> Karmada:
    """Return the control plane as an upstream installer is to see it: with the lab's own etcd, where it has one, as an external one."""
    if not runs_own_etcd(karmada.spec):
        return karmada
    folder = pki_folder(karmada.run, karmada.name)
    client = pair(folder, CALLER)
    external = ExternalEtcd(servers=(SERVER,), ca=folder / f"{CLIENTS}.crt", cert=client.cert, key=client.key, prefix=PREFIX)
    etcd = karmada.spec.etcd.model_copy(update={"external": external})
    return replace(karmada, spec=karmada.spec.model_copy(update={"etcd": etcd}))


def member_count(karmada: Karmada) -> int:
    """Return how many members the lab's own etcd is to have: those of the spec, but for what `lab etcd` recorded since."""
    return int((karmada.run.recorded(*RECORD) or {}).get("members", karmada.spec.etcd.members))


def record_members(karmada: Karmada, count: int) -> Karmada:
    """Record how many members the lab's own etcd is to have; return the control plane with that spec, of one member or of three."""
    karmada.run.record(*RECORD, {**(karmada.run.recorded(*RECORD) or {}), "members": count})
    etcd = karmada.spec.etcd
    update = {"members": 1 if count == 1 else 3, "storage": etcd.storage or EtcdStorage()}
    return karmada.asking(karmada.spec.model_copy(update={"etcd": etcd.model_copy(update=update)}))


def has_begun(karmada: Karmada) -> bool:
    """Return whether all members of the lab's own etcd have served once: none without data may begin since."""
    return bool((karmada.run.recorded(*RECORD) or {}).get("begun"))


def record_token(karmada: Karmada, token: str) -> str:
    """Record the token of etcd's cluster and have new members begin with it; return it."""
    karmada.run.record(*RECORD, {**(karmada.run.recorded(*RECORD) or {}), "token": token})
    count = member_count(karmada)
    karmada.lab.host.api.apply(manifests.initial_members(member_names(count), token, closed=True))
    return token


def make_own_certificates(karmada: Karmada) -> None:
    """Make the keys of the lab's own etcd; those that are there stay. Nothing is done for another etcd."""
    if runs_own_etcd(karmada.spec):
        make_certificates(pki_folder(karmada.run, karmada.name), days=karmada.spec.certificates.days)


def apply_own_etcd(karmada: Karmada, image: str) -> None:
    """Apply the lab's own etcd. The namespace must be there. Nothing is done for another etcd; what is there so already stays."""
    if not runs_own_etcd(karmada.spec):
        return
    make_own_certificates(karmada)
    host = karmada.lab.host.api
    token = (karmada.run.recorded(*RECORD) or karmada.run.record(*RECORD, {"token": f"karmada-{uuid.uuid4().hex[:8]}"}))["token"]
    count = member_count(karmada)
    made: list[Json] = [
        *secrets(pki_folder(karmada.run, karmada.name)),
        *manifests.services(),
        manifests.initial_members(member_names(count), token, closed=has_begun(karmada)),
        manifests.disruption_budget(count),
    ]
    objects.apply_all(host, made)
    if (seed := karmada.run.recorded(*SEED)) and host.find(STATEFUL_SET) is None:
        seed_volumes(karmada, Path(seed["snapshot"]), image=image, token=token, count=count)
    host.apply(manifests.stateful_set(karmada.spec, image, count))


def wait_own_etcd(karmada: Karmada) -> None:
    """Return when every member of the lab's own etcd is ready, which it is with a quorum only. Errors as of `wait_serving`."""
    if runs_own_etcd(karmada.spec):
        wait_serving(karmada.lab.host.api, [ETCD], only=True, within=WITHIN)
        if not has_begun(karmada):
            known = karmada.run.recorded(*RECORD) or {}
            karmada.lab.host.api.apply(manifests.initial_members(member_names(member_count(karmada)), known["token"], closed=True))
            karmada.run.record(*RECORD, {**known, "begun": True})
