"""Clusters as processes of this computer: etcd, kube-apiserver, controller-manager, scheduler, and kwok for nodes.

No Docker, no VM, seconds. Each cluster has an authority, an etcd and ports of its own,
all on loopback, so that several labs run side by side. Flags follow kubeadm's where they matter to a client; what a lab
does differently is said beside the flag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template

from lab import audit, component
from lab.assets.cache import default_root
from lab.cluster import Cluster, Lab
from lab.component import Component, Health
from lab.computer import Computer, Probe
from lab.doctor.checks import list_refusals
from lab.hollow import drop_stale_leases, ensure_nodes, grace_seconds, kwok_component, kwok_configuration
from lab.limits.finding import MIB, Needs, Share
from lab.pki import Authority, ensure_service_account_keys, write_kubeconfig
from lab.ports import ports_of
from lab.preflight import Problem
from lab.providers.provider import CLIENT_LIMITS
from lab.run import Run, runs_root, write_private
from lab.spec import Capability, ClusterSpec, LabSpec
from lab.steps import Step

LOOPBACK = "127.0.0.1"
SERVICES = "10.96.0.0/16"
CLIENT_SOCKET, PEER_SOCKET = "unix://etcd.sock:0", "unix://peer.sock:0"
"""etcd listens in its own data directory (mode 0700, the working directory of etcd and kube-apiserver): nobody else can reach it,
and a kube-apiserver, which opens some hundred connections at its start, spends a second of CPU less than over TLS. A relative
name cannot get too long; etcd insists on something that looks like a port.
"""
ETCD, KWOK = "3.6.5", "0.8.0"
"""Versions of what every cluster has besides Kubernetes; pinned in lab/assets.toml."""

MIB_OF_CLUSTER = 430
"""Resident memory of one cluster without load, measured: kube-apiserver 250, controller-manager 75, scheduler 50, etcd 40, kwok 45."""
PROGRAMS_OF_CLUSTER, PROGRAMS_OF_REST = 5, 7
PORTS_OF_CLUSTER, PORTS_OF_REST = 8, 21
MIB_PER_NODE = 0.25
INOTIFY_OF_CLUSTER, INOTIFY_OF_REST = 11, 12
"""Inotify instances: 6 of a kube-apiserver and 5 of a controller-manager, each a certificate file watched; the rest is Karmada's own."""

DISK_MIB_OF_CLUSTER = 150
"""What one control plane writes, measured: an etcd makes two files of 64 MiB for its log at once, the rest is growth."""

MIB_OF_REST = 700
"""Of what stands on top and beside: a Karmada control plane, the supervisor, the command itself."""


@dataclass(frozen=True)
class Embedded:
    """The default provider."""

    offers: frozenset[Capability] = frozenset({Capability.MACHINES, Capability.HOLLOW})
    keeps: bool = True
    computer: Probe = field(default_factory=Computer)

    def probe(self, spec: LabSpec) -> frozenset[Capability]:  # noqa: ARG002 (every lab of it offers the same)
        """Return what its clusters can do."""
        return self.offers

    def check_spec(self, spec: LabSpec, *, lab: str = "") -> list[Problem]:  # noqa: ARG002 (its names stay in its directory)
        """Return the keys that would have no effect: real nodes, and settings of programs that a cluster does not have."""
        return [
            Problem(f"{path}{problem.path}", problem.why, problem.remedy)
            for path, cluster in spec.paths
            if not cluster.kubeconfig
            for problem in list_ineffective_keys(cluster)
        ]

    def check(self, spec: LabSpec) -> list[str]:
        """Refuse a lab that this computer's limits do not allow, with the arithmetic."""
        return list_refusals(self.computer, self.estimate(spec))

    def estimate(self, spec: LabSpec) -> Needs:
        """Return what these clusters and a Karmada take: figures measured without load."""
        clusters, nodes = len(spec.made), sum(group.count for cluster in spec.made for group in cluster.nodes)
        memory = [Share("clusters", clusters, MIB_OF_CLUSTER * MIB, PROGRAMS_OF_CLUSTER)]
        if nodes:
            memory.append(Share("hollow nodes", nodes, int(MIB_PER_NODE * MIB)))
        memory.append(Share("Karmada, the supervisor and this command", 1, MIB_OF_REST * MIB, PROGRAMS_OF_REST))
        return Needs(
            memory=tuple(memory),
            inotify=estimate_inotify(clusters),
            disk=(clusters + 1) * DISK_MIB_OF_CLUSTER * MIB,  # and Karmada's etcd
            ports=clusters * PORTS_OF_CLUSTER + PORTS_OF_REST,
            cache=default_root(),
            runs=runs_root(),
        )

    def software(self, spec: LabSpec) -> list[str]:
        """Return the assets that these clusters need, as name@version."""
        wanted = [f"etcd@{ETCD}", f"kwok@{KWOK}", f"kwok-stages@{KWOK}"]
        for version in {cluster.kubernetes for cluster in spec.made}:
            wanted += [f"{name}@{version}" for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")]
        return sorted(wanted)

    def create(self, lab: Lab, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps of all clusters; the one that carries a cluster's name ends when it answers and has its nodes."""
        steps: list[Step] = []
        for spec, cluster in zip(lab.spec.made, lab.made, strict=True):
            made = cluster_steps(lab.run, spec, cluster, software)
            # Members are waited for by whoever joins them; nothing waits for the host cluster.
            steps += [replace(step, priority=1) for step in made] if cluster is lab.host else made
        return steps

    def delete(self, run: Run) -> None:
        """Nothing to do: the supervisor has ended the processes, and everything else is inside the run directory."""


def list_ineffective_keys(cluster: ClusterSpec) -> Iterator[Problem]:
    """Yield what of a cluster's spec changes nothing; paths begin with a dot."""
    if cluster.workers:
        yield Problem(".workers", "workers are nodes where containers run, and here are none", "set nodes, or take --provider kind")
    programs = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", *(["kwok"] if cluster.nodes else [])}
    for key, table in (("flags", cluster.flags), ("env", cluster.env)):
        for program in table.keys() - programs:
            why = "this cluster has no such program" if program != "kwok" else "this cluster has no nodes, so no kwok"
            yield Problem(f".{key}.{program}", why, f"one of: {', '.join(sorted(programs))}")


def estimate_inotify(clusters: int) -> int:
    """Return how many inotify instances a lab of so many clusters takes, Karmada included."""
    return clusters * INOTIFY_OF_CLUSTER + INOTIFY_OF_REST


def cluster_steps(run: Run, spec: ClusterSpec, cluster: Cluster, software: Mapping[str, Path]) -> list[Step]:
    """Return the steps of one cluster: its identity, its programs, its nodes."""
    name = spec.name
    parts = [
        part.changed(flags=spec.flags.get(program_name(part)), env=spec.env.get(program_name(part)))
        for part in make_components(run, spec, cluster, software)
    ]
    nodes = Step(
        f"{name}/nodes",
        lambda: ensure_nodes(cluster.api, name, spec.nodes, port=reserve_cluster_ports(run, spec)["kwok"]),
        (f"{name}/kube-apiserver",),
    )
    return [
        Step(f"{name}/identity", lambda: write_identity(run, spec, cluster, software)),
        Step(f"{name}/leases", lambda: drop_stale_leases(cluster.api, run, name), (f"{name}/kube-apiserver",)),
        *component.make_steps(parts, run),
        nodes,
        Step(name, lambda: check_cluster(cluster), (nodes.name, *(part.name for part in parts))),
    ]


def check_cluster(cluster: Cluster) -> None:
    """Return when the cluster serves a request of its administrator."""
    cluster.api.get("/api/v1/namespaces/kube-system")


def program_name(part: Component) -> str:
    """Return the program's name without its cluster's."""
    return part.name.rpartition("/")[2]


def write_identity(run: Run, spec: ClusterSpec, cluster: Cluster, software: Mapping[str, Path]) -> None:
    """Make the certificates, keys, kubeconfigs and configuration files of one cluster; what is there is kept."""
    folder = run.folder("pki", spec.name)
    ca = Authority.ensure(folder, "ca", common_name=f"{spec.name}-ca")
    front_ca = Authority.ensure(folder, "front-proxy-ca", common_name=f"{spec.name}-front-proxy-ca")
    ensure_service_account_keys(folder)
    local = ["localhost", LOOPBACK]
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "10.96.0.1"]
    ca.issue("apiserver", common_name="kube-apiserver", hosts=[*local, *service])
    front_ca.issue("front-proxy-client", common_name="front-proxy-client")
    server = f"https://{LOOPBACK}:{reserve_cluster_ports(run, spec)['apiserver']}"
    for program in ("kube-controller-manager", "kube-scheduler"):
        pair = ca.issue(program, common_name=f"system:{program}", hosts=local)
        write_kubeconfig(folder / f"{program}.kubeconfig", context=cluster.context, server=server, ca=ca.cert, client=pair)
    admin = ca.issue("admin", common_name="kubernetes-admin", organisations=["system:masters"])
    write_kubeconfig(cluster.kubeconfig, context=cluster.context, server=server, ca=ca.cert, client=admin)
    data = run.folder("data", spec.name)
    for stem, text in spec.files.items():
        write_private(data / stem, Template(text).safe_substitute(pki=folder).encode())
    write_private(data / "kwok.yaml", kwok_configuration(software[f"kwok-stages@{KWOK}"]).encode())
    audit.write_policy(run)


def reserve_cluster_ports(run: Run, spec: ClusterSpec) -> dict[str, int]:
    """Return the ports of one cluster, reserved now if they are not yet."""
    return ports_of(run, spec.name, ["etcd-metrics", "apiserver", "controller-manager", "scheduler", "kwok"])


def make_components(run: Run, spec: ClusterSpec, cluster: Cluster, software: Mapping[str, Path]) -> list[Component]:
    """Return the programs of one cluster as data. Nothing is started."""
    name, port, folder = spec.name, reserve_cluster_ports(run, spec), run.path / "pki" / spec.name
    nodes = sum(group.count for group in spec.nodes)
    ca = folder / "ca.crt"

    def file(stem: str) -> str:
        return str(folder / stem)

    def kubernetes(program: str) -> Path:
        return software[f"{program}@{spec.kubernetes}"]

    etcd = Component(
        name=f"{name}/etcd",
        binary=software[f"etcd@{ETCD}"],
        flags={
            "name": name,
            "data-dir": str(run.path / "data" / name / "etcd"),
            "listen-client-urls": CLIENT_SOCKET,
            "advertise-client-urls": CLIENT_SOCKET,
            "listen-peer-urls": PEER_SOCKET,
            "initial-advertise-peer-urls": PEER_SOCKET,
            "initial-cluster": f"{name}={PEER_SOCKET}",
            "listen-metrics-urls": f"http://{LOOPBACK}:{port['etcd-metrics']}",
            "unsafe-no-fsync": "true",  # a lab survives the end of its processes, not a power cut
            "quota-backend-bytes": str(8 * 2**30),
            "log-level": "warn",
        },
        needs=(f"{name}/identity",),
        ready=(Health(f"http://{LOOPBACK}:{port['etcd-metrics']}/readyz"),),
        ports={"metrics": port["etcd-metrics"]},
    )
    apiserver = Component(
        name=f"{name}/kube-apiserver",
        binary=kubernetes("kube-apiserver"),
        flags={
            "bind-address": LOOPBACK,
            "secure-port": str(port["apiserver"]),
            # A loopback address is refused as an endpoint of the service `kubernetes`; nothing here would connect to it.
            "advertise-address": LOOPBACK,
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
        ready=(Health(f"https://{LOOPBACK}:{port['apiserver']}/readyz", ca),),
        ports={"https": port["apiserver"]},
        cpu_bound=True,
    )
    shared = {
        "bind-address": LOOPBACK,
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
        ready=(Health(f"https://{LOOPBACK}:{port['controller-manager']}/healthz", ca),),
        ports={"https": port["controller-manager"]},
    )
    scheduler = Component(
        name=f"{name}/kube-scheduler",
        binary=kubernetes("kube-scheduler"),
        flags={**shared, **make_identity_flags(folder, "kube-scheduler"), "secure-port": str(port["scheduler"])},
        needs=(apiserver.name,),
        ready=(Health(f"https://{LOOPBACK}:{port['scheduler']}/healthz", ca),),
        ports={"https": port["scheduler"]},
    )
    hollow = kwok_component(
        name,
        binary=software[f"kwok@{KWOK}"],
        config=run.path / "data" / name / "kwok.yaml",
        kubeconfig=cluster.kubeconfig,
        port=port["kwok"],
        nodes=nodes,
        needs=(apiserver.name, f"{name}/leases"),
    )
    return [etcd, apiserver, controller_manager, scheduler, *([hollow] if spec.nodes else [])]


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
