"""The programs of a Karmada control plane as data: flags, needs, readiness.

Flags are those of artifacts/deploy, the deployment that upstream tests, with addresses of this computer or of its machines; each difference
has a comment. Over them come the profile's, then the spec's. Nothing here touches a file, a port or a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from deployers.by_binary import balancer
from deployers.by_binary.optional import aggregated_apiserver, estimator_of, metrics_adapter, search
from deployers.plane.flags import apply_spec
from deployers.plane.layout import Layout, calling, estimator, instances, metrics_flags, serving, storage
from deployers.spec import KarmadaSpec
from lab.component import Component, Flags, Health

CONTROLLERS = (
    "namespace,garbagecollector,serviceaccount-token,ttl-after-finished,bootstrapsigner,tokencleaner,"
    "csrcleaner,csrsigning,clusterrole-aggregation"
)
"""Those of artifacts/deploy; most of kube-controller-manager's are for clusters with nodes."""
AGGREGATED = "karmada-aggregated-apiserver"


def uses(spec: KarmadaSpec, etcds: Iterable[str]) -> list[str]:
    """Return the ports that this control plane needs, by use; `etcds` are the members of its own etcd."""
    wanted = [f"{name}.{port}" for name in etcds for port in ("client", "peer", "metrics")]
    wanted += [f"{name}.https" for name in (*apiservers(spec), *instances_of(AGGREGATED, spec))]
    wanted += balancer.ports(spec)
    wanted += [f"{name}.{port}" for name in instances_of("karmada-webhook", spec) for port in ("https", "metrics", "health")]
    wanted += [f"{name}.https" for name in instances_of("kube-controller-manager", spec)]
    for component in ("karmada-controller-manager", "karmada-scheduler", "karmada-descheduler"):
        if spec.has(component):
            wanted += [f"{name}.{port}" for name in instances_of(component, spec) for port in ("metrics", "health")]
    wanted += ["karmada-search.https"] if spec.addons.search else []
    wanted += ["karmada-metrics-adapter.https", "karmada-metrics-adapter.metrics"] if spec.addons.metrics_adapter else []
    if spec.addons.estimators:
        wanted += [f"{estimator(member.name)}.{port}" for member in spec.members for port in ("grpc", "metrics", "health")]
    return wanted


def components(spec: KarmadaSpec, layout: Layout) -> list[Component]:
    """Return every program of this control plane, with the profile and the spec laid over its flags."""
    plain = [
        *(etcd(name, layout) for name in layout.etcds),
        *(apiserver(name, spec, layout) for name in apiservers(spec)),
        *(balancer.haproxy(name, layout) for name in balancer.balancers(spec)),
        *(aggregated_apiserver(AGGREGATED, spec, layout, instance=name) for name in instances_of(AGGREGATED, spec)),
        *(webhook(name, layout) for name in instances_of("karmada-webhook", spec)),
        *replicas("kube-controller-manager", spec, layout),
        *replicas("karmada-controller-manager", spec, layout),
        *replicas("karmada-scheduler", spec, layout),
    ]
    plain += replicas("karmada-descheduler", spec, layout) if spec.addons.descheduler else []
    plain += [search(spec, layout)] if spec.addons.search else []
    plain += [metrics_adapter(layout)] if spec.addons.metrics_adapter else []
    plain += [estimator_of(member.name, layout) for member in spec.members] if spec.addons.estimators else []
    return [apply_spec(component, spec) for component in plain]


def etcd(name: str, layout: Layout) -> Component:
    """One member of Karmada's own etcd. Members use TLS among themselves, and require client certificates of etcd's authority."""
    port, server, peer = layout.ports, layout.pair("etcd-server"), layout.pair("etcd-peer")
    client = f"https://{layout.address(name)}:{port[f'{name}.client']}"
    peers = {each: f"https://{layout.address(each)}:{port[f'{each}.peer']}" for each in layout.etcds}
    authority = str(layout.pki / "etcd-ca.crt")
    return Component(
        name=f"karmada/{name}",
        kind="etcd",
        binary=layout.software["etcd"],
        flags={
            "name": name,
            "data-dir": str(layout.data / name),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peers[name],
            "initial-advertise-peer-urls": peers[name],
            "initial-cluster": ",".join(f"{each}={url}" for each, url in peers.items()),
            "initial-cluster-token": "karmada",
            "initial-cluster-state": "new",
            "listen-metrics-urls": f"http://{layout.address(name)}:{port[f'{name}.metrics']}",
            "client-cert-auth": "true",
            "cert-file": str(server.cert),
            "key-file": str(server.key),
            "trusted-ca-file": authority,
            "peer-client-cert-auth": "true",
            "peer-cert-file": str(peer.cert),
            "peer-key-file": str(peer.key),
            "peer-trusted-ca-file": authority,
            "snapshot-count": "10000",
            "unsafe-no-fsync": None if layout.durable else "true",  # processes may end there, not the power
            "log-level": "warn",
            **layout.initial_flags.get(name, {}),
        },
        needs=("karmada/identity",),
        ready=(
            Health(f"http://{layout.address(name)}:{port[f'{name}.metrics']}/readyz"),
            Health(client.replace("https://", "tls://"), Path(authority)),
        ),
        ports={use: port[f"{name}.{use}"] for use in ("client", "peer", "metrics")},
    )


def instances_of(kind: str, spec: KarmadaSpec) -> list[str]:
    """Return the names of the instances of a component: as many as its replicas."""
    return instances(kind, spec.settings(kind).replicas)


def apiservers(spec: KarmadaSpec) -> list[str]:
    """Return the names of the instances of karmada-apiserver."""
    return instances_of("karmada-apiserver", spec)


def apiserver(instance: str, spec: KarmadaSpec, layout: Layout) -> Component:
    """karmada-apiserver, which is a kube-apiserver without nodes. Instances differ in their ports and audit logs alone."""
    front, ca = layout.pair("front-proxy-client"), str(layout.ca)
    return Component(
        name=f"karmada/{instance}",
        kind="karmada-apiserver",
        binary=layout.software["kube-apiserver"],
        flags={
            **serving("karmada-apiserver", layout, instance=instance),
            **storage("karmada-apiserver", spec, layout),
            **audit_of(instance, layout),
            # A loopback address is refused as an endpoint of the service `kubernetes`; nothing here would connect to it.
            "advertise-address": layout.address(instance),
            "endpoint-reconciler-type": "none",
            "allow-privileged": "true",
            "authorization-mode": "Node,RBAC",
            "client-ca-file": ca,
            "disable-admission-plugins": "StorageObjectInUseProtection,ServiceAccount",
            "enable-bootstrap-token-auth": "true",
            "runtime-config": "",
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-account-key-file": str(layout.pki / "sa.pub"),
            "service-account-signing-key-file": str(layout.pki / "sa.key"),
            "service-cluster-ip-range": "10.96.0.0/12",
            "proxy-client-cert-file": str(front.cert),
            "proxy-client-key-file": str(front.key),
            "requestheader-client-ca-file": ca,
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-username-headers": "X-Remote-User",
        },
        needs=tuple(f"karmada/{name}" for name in layout.etcds) or ("karmada/identity",),
        ready=(Health(f"{layout.server(instance)}/readyz", layout.ca),),
        ports={"https": layout.ports[f"{instance}.https"]},
        priority=-1,  # the longest way to Ready members begins here
        cpu_bound=True,
    )


def audit_of(instance: str, layout: Layout) -> Flags:
    """Return the audit flags of an instance: each writes a log of its own."""
    number = instance.removeprefix("karmada-apiserver")
    flags = dict(layout.audit)
    if number and isinstance(path := flags.get("audit-log-path"), str):
        flags["audit-log-path"] = str(Path(path).with_name(f"audit{number}.jsonl"))
    return flags


def webhook(instance: str, layout: Layout) -> Component:
    """Admission and conversion webhooks. They serve before any CRD is there; instances differ in their ports alone."""
    name, port = "karmada-webhook", layout.ports
    return Component(
        name=f"karmada/{instance}",
        kind=name,
        binary=layout.software[name],
        flags={
            **calling(name, layout),
            **metrics_flags(instance, layout),
            "bind-address": layout.address(instance),
            "secure-port": str(port[f"{instance}.https"]),
            "cert-dir": str(layout.pki),
            "tls-cert-file-name": f"{name}.crt",
            "tls-private-key-file-name": f"{name}.key",
        },
        needs=(layout.reached(instance),),
        ready=(Health(f"{layout.server(instance)}/readyz/", layout.ca),),
        ports={use: port[f"{instance}.{use}"] for use in ("https", "metrics", "health")},
    )


def replicas(kind: str, spec: KarmadaSpec, layout: Layout) -> list[Component]:
    """Return the instances of a component that elects a leader; they differ in their ports alone."""
    return [
        kube_controller_manager(name, layout) if kind == "kube-controller-manager" else controller(name, kind, spec, layout)
        for name in instances_of(kind, spec)
    ]


def kube_controller_manager(instance: str, layout: Layout) -> Component:
    """The few Kubernetes controllers that Karmada's API needs: deletion, tokens, registration, aggregation of roles."""
    name, ca, pair = "kube-controller-manager", str(layout.ca), layout.pair("kube-controller-manager")
    return Component(
        name=f"karmada/{instance}",
        kind=name,
        binary=layout.software[name],
        flags={
            **calling(name, layout, delegating=True),
            "controllers": CONTROLLERS,
            "bind-address": layout.address(instance),
            "secure-port": str(layout.ports[f"{instance}.https"]),
            "tls-cert-file": str(pair.cert),  # upstream lets it sign its own
            "tls-private-key-file": str(pair.key),
            "client-ca-file": ca,
            "root-ca-file": ca,
            "cluster-signing-cert-file": ca,
            "cluster-signing-key-file": str(layout.pki / "ca.key"),
            "service-account-private-key-file": str(layout.pki / "sa.key"),
            "use-service-account-credentials": "true",
            "allocate-node-cidrs": "true",
            "cluster-cidr": "10.244.0.0/16",
            "node-cidr-mask-size": "24",
            "service-cluster-ip-range": "10.96.0.0/12",
            "cluster-name": "karmada",
            "leader-elect": "true",
        },
        needs=(layout.reached(instance), "karmada/leases"),
        ready=(Health(f"{layout.server(instance)}/healthz", layout.ca),),
        ports={"https": layout.ports[f"{instance}.https"]},
    )


def controller(instance: str, kind: str, spec: KarmadaSpec, layout: Layout) -> Component:
    """karmada-controller-manager, karmada-scheduler or karmada-descheduler.

    They need the CRDs, or never get ready; and the API of Clusters: controller-runtime asks for a kind that is not there again only
    after 10 s.
    """
    flags: dict[str, str | Sequence[str] | None] = {**calling(kind, layout), **metrics_flags(instance, layout)}
    if kind == "karmada-controller-manager":
        flags["cluster-status-update-frequency"] = "10s"
    if kind == "karmada-descheduler" or (kind == "karmada-scheduler" and spec.addons.estimators):
        pair = layout.pair(f"{kind}-grpc")
        flags |= {
            "scheduler-estimator-ca-file": str(layout.ca),
            "scheduler-estimator-cert-file": str(pair.cert),
            "scheduler-estimator-key-file": str(pair.key),
        }
        if kind == "karmada-scheduler":
            flags["enable-scheduler-estimator"] = "true"
    return Component(
        name=f"karmada/{instance}",
        kind=kind,
        binary=layout.software[kind],
        flags=flags,
        needs=(layout.reached(instance), "karmada/crds", "karmada/webhooks", "karmada/cluster-api", "karmada/leases"),
        ready=(Health(f"http://{layout.address(instance)}:{layout.ports[f'{instance}.health']}/healthz"),),
        ports={use: layout.ports[f"{instance}.{use}"] for use in ("metrics", "health")},
    )
