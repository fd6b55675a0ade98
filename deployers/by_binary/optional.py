"""The optional components of a control plane: search, metrics adapter, an estimator for each member.

The descheduler is one of the controllers in `components`.
"""

from __future__ import annotations

from deployers.plane.layout import Layout, calling, estimator, metrics_flags, serving, storage, without_audit_files
from deployers.spec import KarmadaSpec
from lab.component import Component, Health


def aggregated_apiserver(name: str, spec: KarmadaSpec, layout: Layout, *needs: str, instance: str = "") -> Component:
    """Return an API server that stands behind karmada-apiserver and keeps its objects in the same etcd, or an `instance` of several."""
    return Component(
        name=f"karmada/{instance or name}",
        kind=name,
        binary=layout.software[name],
        flags={
            **serving(name, layout, instance=instance),
            **calling(name, layout, delegating=True),
            **storage(name, spec, layout),
            **without_audit_files(),
        },
        needs=(layout.reached(instance or name), *needs),
        ready=(Health(f"{layout.server(instance or name)}/readyz", layout.ca),),
        ports={"https": layout.ports[f"{instance or name}.https"]},
    )


def search(spec: KarmadaSpec, layout: Layout) -> Component:
    """The API that searches members and caches what they hold.

    It gets alive and ready only when it can list its own objects through karmada-apiserver: its API is registered before it starts.
    """
    return aggregated_apiserver("karmada-search", spec, layout, "karmada/crds", "karmada/cluster-api", "karmada/search-registered")


def metrics_adapter(layout: Layout) -> Component:
    """The metrics APIs, answered from the members'."""
    name = "karmada-metrics-adapter"
    return Component(
        name=f"karmada/{name}",
        kind=name,
        binary=layout.software[name],
        flags={
            **serving(name, layout),
            **calling(name, layout, delegating=True),
            **without_audit_files(),
            "client-ca-file": str(layout.ca),
            "metrics-bind-address": f"{layout.address(name)}:{layout.ports[f'{name}.metrics']}",
        },
        needs=(layout.reached(name), "karmada/crds", "karmada/cluster-api"),
        ready=(Health(f"{layout.server(name)}/readyz", layout.ca),),
        ports={use: layout.ports[f"{name}.{use}"] for use in ("https", "metrics")},
    )


def estimator_of(member: str, layout: Layout) -> Component:
    """The estimator of one member: it watches that member, and tells the scheduler how many replicas fit."""
    name, pair = estimator(member), layout.pair("karmada-scheduler-estimator")
    return Component(
        name=f"karmada/{name}",
        kind="karmada-scheduler-estimator",
        binary=layout.software["karmada-scheduler-estimator"],
        flags={
            **metrics_flags(name, layout),
            "kubeconfig": str(layout.members[member]),
            "cluster-name": member,
            "grpc-auth-cert-file": str(pair.cert),
            "grpc-auth-key-file": str(pair.key),
            "grpc-client-ca-file": str(layout.ca),
            "server-port": str(layout.ports[f"{name}.grpc"]),
        },
        needs=("karmada/identity", member),
        ready=(Health(f"http://{layout.address(name)}:{layout.ports[f'{name}.health']}/healthz"),),
        ports={use: layout.ports[f"{name}.{use}"] for use in ("grpc", "metrics", "health")},
    )
