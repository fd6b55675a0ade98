"""The objects of the lab's own etcd in pods. Pure: nothing here touches a file or a cluster.

What upstream's StatefulSets lack for several members: all pods start at once, and their addresses are published before they are
ready, since none is ready without a quorum. Liveness needs no quorum (`/livez`). Readiness does (`/readyz`), so that clients are sent to
members that can serve, and never to a learner. The probes' port has metrics and health alone, without TLS.

A member begins with the ConfigMap's values only while it has no data. Once the cluster has begun they let none begin: a member that has
lost its volume, and reaches no other at that moment, would begin as it first did and vote again as if it had acknowledged nothing. They
are "existing" while a member is added, and only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deployers.names import NAMESPACE
from deployers.plane.flags import apply_spec
from deployers.pods.etcd.names import (
    CLIENT,
    CLIENT_PORT,
    ETCD,
    MEMBERS,
    PEER_PORT,
    PEER_SECRET,
    PROBE_PORT,
    SERVER_SECRET,
    client_address,
    peer_address,
)
from deployers.spec import EtcdStorage, KarmadaSpec
from lab.component import Component, render_flags

Json = dict[str, Any]
DATA, SERVER_PKI, PEER_PKI = "/var/lib/etcd", "/etc/etcd/server", "/etc/etcd/peer"
LABELS = {"app": ETCD}
POD = "$(POD_NAME)"
NAMED = {"POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}}}
CLOSED_PEER = "closed"
"""In the place of all names where no member without data may begin: etcd ends at once when its own name is not in the list."""
INITIAL = ("initial-cluster", "initial-cluster-state", "initial-cluster-token")
"""Flags of a member without data; each is a key of the ConfigMap, and reaches etcd as an environment variable."""
FLAGS: dict[str, str] = {
    "name": POD,
    "data-dir": f"{DATA}/data",
    "listen-client-urls": f"https://0.0.0.0:{CLIENT_PORT}",
    "advertise-client-urls": client_address(POD),
    "listen-peer-urls": f"https://0.0.0.0:{PEER_PORT}",
    "initial-advertise-peer-urls": peer_address(POD),
    "listen-metrics-urls": f"http://0.0.0.0:{PROBE_PORT}",
    "client-cert-auth": "true",
    "trusted-ca-file": f"{SERVER_PKI}/ca.crt",
    "cert-file": f"{SERVER_PKI}/tls.crt",
    "key-file": f"{SERVER_PKI}/tls.key",
    "peer-client-cert-auth": "true",
    "peer-trusted-ca-file": f"{PEER_PKI}/ca.crt",
    "peer-cert-file": f"{PEER_PKI}/tls.crt",
    "peer-key-file": f"{PEER_PKI}/tls.key",
    "peer-client-cert-file": f"{PEER_PKI}/client.crt",
    "peer-client-key-file": f"{PEER_PKI}/client.key",
}


def metadata(name: str) -> Json:
    """Return the metadata of one object."""
    return {"name": name, "namespace": NAMESPACE, "labels": LABELS}


def services() -> list[Json]:
    """Return the Service by which members find each other, and the one for clients."""
    client, peer = {"name": "client", "port": CLIENT_PORT}, {"name": "peer", "port": PEER_PORT}
    found = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": LABELS, "ports": [client, peer]}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata(ETCD), "spec": found},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata(CLIENT), "spec": {"selector": LABELS, "ports": [client]}},
    ]


def initial_members(names: Sequence[str], token: str, *, joining: bool = False, closed: bool = False) -> Json:
    """Return the ConfigMap for members without data: of a cluster of these names that begins, or that one of them is `joining`.

    `closed`: none may begin, since the cluster has begun; a member without data ends with an error.
    """
    cluster = ",".join(f"{name}={peer_address(name)}" for name in ([CLOSED_PEER] if closed else names))
    values = dict(zip(INITIAL, (cluster, "existing" if joining else "new", token), strict=True))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(MEMBERS), "data": values}


def disruption_budget(count: int) -> Json:
    """Return the budget that keeps a quorum when nodes are drained."""
    spec = {"minAvailable": count // 2 + 1, "selector": {"matchLabels": LABELS}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(ETCD), "spec": spec}


def stateful_set(spec: KarmadaSpec, image: str, count: int) -> Json:
    """Return the members."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(ETCD),
        "spec": {
            "replicas": count,
            "serviceName": ETCD,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod(spec, image)},
            "volumeClaimTemplates": [volume_claim(spec.etcd.storage or EtcdStorage())],
        },
    }


def pod(spec: KarmadaSpec, image: str) -> Json:
    """Return the pod of a member.

    Members prefer nodes of their own and do not require them: after the loss of a node, one can be replaced on another's.
    """
    term = {"labelSelector": {"matchLabels": LABELS}, "topologyKey": "kubernetes.io/hostname"}
    return {
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}},
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container(spec, image)],
        "volumes": [
            {"name": "server", "secret": {"secretName": SERVER_SECRET, "defaultMode": 0o400}},
            {"name": "peer", "secret": {"secretName": PEER_SECRET, "defaultMode": 0o400}},
        ],
    }


def container(spec: KarmadaSpec, image: str) -> Json:
    """Return etcd with the spec's flags and environment laid over its own."""
    wanted = apply_spec(Component(f"karmada/{ETCD}", Path("etcd"), FLAGS, kind=ETCD), spec)
    begins = {f"ETCD_{flag.replace('-', '_').upper()}": {"configMapKeyRef": {"name": MEMBERS, "key": flag}} for flag in INITIAL}
    given = [{"name": key, "value": value} for key, value in wanted.env.items()]
    return {
        "name": ETCD,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": [ETCD, *render_flags(wanted.flags)],
        "env": [*({"name": key, "valueFrom": source} for key, source in (NAMED | begins).items()), *given],
        "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "ports": [{"name": "client", "containerPort": CLIENT_PORT}, {"name": "peer", "containerPort": PEER_PORT}],
        "startupProbe": probe("/livez", periodSeconds=1, failureThreshold=180),
        "livenessProbe": probe("/livez", periodSeconds=10, failureThreshold=6),
        "readinessProbe": probe("/readyz", periodSeconds=2, failureThreshold=3),
        "volumeMounts": [
            {"name": "data", "mountPath": DATA},
            {"name": "server", "mountPath": SERVER_PKI, "readOnly": True},
            {"name": "peer", "mountPath": PEER_PKI, "readOnly": True},
        ],
    }


def probe(path: str, **often: int) -> Json:
    """Return a probe of etcd's health port."""
    return {"httpGet": {"path": path, "port": PROBE_PORT}, "timeoutSeconds": 5, **often}


def volume_claim(storage: EtcdStorage) -> Json:
    """Return the claim of each member's volume."""
    chosen = {"storageClassName": storage.storage_class} if storage.storage_class else {}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage.size}}, **chosen}
    return {"metadata": {"name": "data"}, "spec": spec}
