"""The programs, certificates and files of one cluster of the embedded kind, on this computer or on a machine of the lab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from lab import audit
from lab.cluster import Cluster
from lab.component import Component, Health
from lab.hollow import KwokFiles, grace_seconds, kwok_component, kwok_configuration
from lab.kubernetes_versions import find_etcd
from lab.machines.placement import LOOPBACK, Placement
from lab.pki import Authority, ensure_service_account_keys, write_kubeconfig
from lab.place_component import place_component
from lab.ports import ports_of
from lab.providers.provider import CLIENT_LIMITS
from lab.run import Run, write_private
from lab.spec import ClusterSpec

SERVICES = "10.96.0.0/16"
CLIENT_SOCKET, PEER_SOCKET = "unix://etcd.sock:0", "unix://peer.sock:0"
"""etcd listens in its own data directory (mode 0700, the working directory of etcd and kube-apiserver): no other user can reach it,
and a kube-apiserver, which opens some hundred connections at its start, spends a second of CPU less than over TLS. A relative
name cannot get too long; etcd insists on something that looks like a port.
"""
KWOK = "0.8.0"
"""The version of kwok in every cluster that has nodes; pinned in lab/assets.toml."""


def write_identity(placement: Placement, spec: ClusterSpec, cluster: Cluster, software: Mapping[str, Path]) -> None:
    """Make the certificates, keys, kubeconfigs and files of one cluster, and copy them to its machine; those that exist are kept."""
    run = placement.run
    folder = run.folder("pki", spec.name)
    ca = Authority.ensure(folder, "ca", common_name=f"{spec.name}-ca")
    front_ca = Authority.ensure(folder, "front-proxy-ca", common_name=f"{spec.name}-front-proxy-ca")
    ensure_service_account_keys(folder)
    local = list(dict.fromkeys(["localhost", LOOPBACK, placement.address]))
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "10.96.0.1"]
    ca.issue("apiserver", common_name="kube-apiserver", hosts=[*local, *service])
    front_ca.issue("front-proxy-client", common_name="front-proxy-client")
    server = f"https://{placement.address}:{reserve_cluster_ports(run, spec)['apiserver']}"
    for program in ("kube-controller-manager", "kube-scheduler"):
        pair = ca.issue(program, common_name=f"system:{program}", hosts=local)
        write_kubeconfig(folder / f"{program}.kubeconfig", context=cluster.context, server=server, ca=ca.cert, client=pair)
    admin = ca.issue("admin", common_name="kubernetes-admin", organisations=["system:masters"])
    write_kubeconfig(cluster.kubeconfig, context=cluster.context, server=server, ca=ca.cert, client=admin)
    data = run.folder("data", spec.name)
    for stem, text in spec.files.items():
        write_private(data / stem, Template(text).safe_substitute(pki=placement.path(folder)).encode())
    write_private(data / "kwok.yaml", kwok_configuration(software[f"kwok-stages@{KWOK}"]).encode())
    audit.write_policy(run)
    placement.make_folders(data, run.path / "logs" / spec.name)
    placement.push([folder, cluster.kubeconfig, audit.policy_file(run), *sorted(path for path in data.iterdir() if path.is_file())])


def reserve_cluster_ports(run: Run, spec: ClusterSpec) -> dict[str, int]:
    """Return the ports of one cluster, reserved now if they are not yet."""
    return ports_of(run, spec.name, ["etcd-metrics", "apiserver", "controller-manager", "scheduler", "kwok"])


def make_components(placement: Placement, spec: ClusterSpec, cluster: Cluster, software: Mapping[str, Path]) -> list[Component]:
    """Return the programs of one cluster as data, as its machine has them. Nothing is started."""
    run, address = placement.run, placement.address
    name, port, folder = spec.name, reserve_cluster_ports(run, spec), run.path / "pki" / spec.name
    nodes = sum(group.count for group in spec.nodes)
    ca = folder / "ca.crt"

    def file(stem: str) -> str:
        return str(folder / stem)

    def kubernetes(program: str) -> Path:
        return software[f"{program}@{spec.kubernetes}"]

    etcd = Component(
        name=f"{name}/etcd",
        binary=software[f"etcd@{find_etcd(spec.kubernetes)}"],
        flags={
            "name": name,
            "data-dir": str(run.path / "data" / name / "etcd"),
            "listen-client-urls": CLIENT_SOCKET,
            "advertise-client-urls": CLIENT_SOCKET,
            "listen-peer-urls": PEER_SOCKET,
            "initial-advertise-peer-urls": PEER_SOCKET,
            "initial-cluster": f"{name}={PEER_SOCKET}",
            "listen-metrics-urls": f"http://{address}:{port['etcd-metrics']}",
            "unsafe-no-fsync": "true",  # a lab survives the end of its processes, not a power cut
            "quota-backend-bytes": str(8 * 2**30),
            "log-level": "warn",
        },
        needs=(f"{name}/identity",),
        ready=(Health(f"http://{address}:{port['etcd-metrics']}/readyz"),),
        ports={"metrics": port["etcd-metrics"]},
    )
    apiserver = Component(
        name=f"{name}/kube-apiserver",
        binary=kubernetes("kube-apiserver"),
        flags={
            "bind-address": address,
            "secure-port": str(port["apiserver"]),
            # A loopback address is refused as an endpoint of the service `kubernetes`; nothing here would connect to it.
            "advertise-address": address,
            "endpoint-reconciler-type": "none",
            "etcd-servers": CLIENT_SOCKET,
            "client-ca-file": str(ca),
            "tls-cert-file": file("apiserver.crt"),
            "tls-private-key-file": file("apiserver.key"),
            "authorization-mode": "Node,RBAC",
            "enable-bootstrap-token-auth": "true",
            "allow-privileged": "true",
            # It taints each new node until the node controller has looked at it. A hollow node is Ready when it registers, and
            # the node controller still taints one that stops being so.
            "disable-admission-plugins": "TaintNodesByCondition",
            "service-cluster-ip-range": SERVICES,
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-account-key-file": file("sa.pub"),
            "service-account-signing-key-file": file("sa.key"),
            "requestheader-client-ca-file": file("front-proxy-ca.crt"),
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-username-headers": "X-Remote-User",
            "proxy-client-cert-file": file("front-proxy-client.crt"),
            "proxy-client-key-file": file("front-proxy-client.key"),
            **audit.audit_flags(run, name),
        },
        needs=(etcd.name,),
        ready=(Health(f"https://{address}:{port['apiserver']}/readyz", ca),),
        ports={"https": port["apiserver"]},
        cpu_bound=True,
    )
    shared = {
        "bind-address": address,
        "client-ca-file": str(ca),
        "leader-elect": "false",  # one instance: a lease would only make it exit whenever its API is away for 10 s
        **CLIENT_LIMITS,
    }
    controller_manager = Component(
        name=f"{name}/kube-controller-manager",
        binary=kubernetes("kube-controller-manager"),
        flags={
            **shared,
            **make_identity_flags(folder, "kube-controller-manager"),
            "secure-port": str(port["controller-manager"]),
            "root-ca-file": str(ca),
            "service-account-private-key-file": file("sa.key"),
            "use-service-account-credentials": "true",
            "cluster-signing-cert-file": str(ca),
            "cluster-signing-key-file": file("ca.key"),
            "cluster-name": name,
            # ttl tells kubelets how long to cache secrets; it patches every node each time their number passes a threshold.
            "controllers": "*,-ttl",
            "node-monitor-grace-period": f"{grace_seconds(nodes)}s",
            "service-cluster-ip-range": SERVICES,
        },
        needs=(apiserver.name,),
        ready=(Health(f"https://{address}:{port['controller-manager']}/healthz", ca),),
        ports={"https": port["controller-manager"]},
    )
    scheduler = Component(
        name=f"{name}/kube-scheduler",
        binary=kubernetes("kube-scheduler"),
        flags={**shared, **make_identity_flags(folder, "kube-scheduler"), "secure-port": str(port["scheduler"])},
        needs=(apiserver.name,),
        ready=(Health(f"https://{address}:{port['scheduler']}/healthz", ca),),
        ports={"https": port["scheduler"]},
    )
    hollow = kwok_component(
        name,
        KwokFiles(software[f"kwok@{KWOK}"], run.path / "data" / name / "kwok.yaml", cluster.kubeconfig),
        at=(address, port["kwok"]),
        nodes=nodes,
        needs=(apiserver.name, f"{name}/leases"),
    )
    made = [etcd, apiserver, controller_manager, scheduler, *([hollow] if spec.nodes else [])]
    return [place_component(part, placement) for part in made]


def make_identity_flags(folder: Path, program: str) -> dict[str, str]:
    """Return the flags by which a program presents itself: to the API by kubeconfig, to its callers by certificate."""
    kubeconfig = str(folder / f"{program}.kubeconfig")
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "tls-cert-file": str(folder / f"{program}.crt"),
        "tls-private-key-file": str(folder / f"{program}.key"),
    }
