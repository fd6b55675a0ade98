"""Keys, certificates and kubeconfigs of a Karmada control plane, in the layout of v1.18.

Which certificates there are, their subjects and names: upstream's hack/deploy-karmada.sh and its documentation (administrator/security/
cert-framework): one server certificate for each component that serves, one client certificate for each that calls, all
signed by `ca`. One intended difference: certificates for etcd are signed by a separate authority, `etcd-ca`, so that no
other certificate of Karmada opens etcd.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from deployers.names import CONTEXT, NAMESPACE
from deployers.plane.authority import read_authority
from deployers.spec import KarmadaSpec, KeyPair
from lab.errors import UsageError
from lab.pki import Authority, Pair, ensure_service_account_keys, write_kubeconfig
from lab.run import write_private

LOCAL = ("localhost", "127.0.0.1")
MASTERS = "system:masters"
CALLERS = (
    "karmada-aggregated-apiserver",
    "karmada-controller-manager",
    "karmada-scheduler",
    "karmada-webhook",
    "karmada-descheduler",
    "karmada-search",
    "karmada-metrics-adapter",
    "kube-controller-manager",
)
"""Components with a kubeconfig of their own."""
ETCD_CALLERS = ("karmada-apiserver", "karmada-aggregated-apiserver", "karmada-search")
SERVERS = (
    "karmada-apiserver",
    "karmada-aggregated-apiserver",
    "karmada-webhook",
    "karmada-search",
    "karmada-metrics-adapter",
    "kube-controller-manager",
)


@dataclass(frozen=True)
class LeafCertificate:
    """One certificate: its file's name, subject, the names it serves under, and which of the two authorities signs it."""

    name: str
    common_name: str
    organisation: str = ""
    hosts: tuple[str, ...] = ()
    authority: str = "ca"


def service_names(service: str) -> tuple[str, ...]:
    """Return the names of a Service of Karmada inside a cluster."""
    return (f"{service}.{NAMESPACE}.svc.cluster.local", f"{service}.{NAMESPACE}.svc")


def leaves(spec: KarmadaSpec, addresses: Sequence[str] = ()) -> list[LeafCertificate]:
    """Return every certificate that this control plane needs. Nothing is read or written.

    `addresses` are those of the machines that its servers run on, if it is not this computer.
    """
    local = (*LOCAL, *addresses)
    balancer = (
        [host_of(spec.load_balancer)] if spec.load_balancer else [spec.by_binary.external_name] if spec.by_binary.external_name else []
    )
    outside = (*spec.certificates.hosts, *balancer)
    wanted = [
        LeafCertificate("server", "server", hosts=(*service_names("*"), *local)),
        LeafCertificate("client", "system:admin", MASTERS),
        LeafCertificate("front-proxy-client", "front-proxy-client"),
    ]
    for name in (name for name in SERVERS if spec.has(name)):
        extra = outside if name == "karmada-apiserver" else ()
        wanted.append(LeafCertificate(name, f"system:karmada:{name}", hosts=(*service_names(name), *local, *extra)))
    wanted += [
        LeafCertificate(f"{name}-client", f"system:karmada:{name}", MASTERS) for name in ("karmada-apiserver", *CALLERS) if spec.has(name)
    ]
    if spec.addons.estimators:
        estimator = "karmada-scheduler-estimator"
        wanted.append(LeafCertificate(estimator, f"system:karmada:{estimator}", hosts=(*service_names("*"), *local)))
    wanted += [LeafCertificate(f"{name}-grpc", f"system:karmada:{name}-grpc", MASTERS) for name in estimator_clients(spec)]
    if spec.etcd.external is None:
        names = (*service_names("etcd"), *service_names("etcd-client"), *local)
        wanted += [
            LeafCertificate("etcd-server", "system:karmada:etcd-server", hosts=names, authority="etcd-ca"),
            LeafCertificate("etcd-peer", "system:karmada:etcd-peer", hosts=names, authority="etcd-ca"),
            LeafCertificate("etcd-client", "system:karmada:etcd-etcd-client", authority="etcd-ca"),
        ]
        wanted += [
            LeafCertificate(f"{name}-etcd-client", f"system:karmada:{name}-etcd-client", MASTERS, authority="etcd-ca")
            for name in ETCD_CALLERS
            if spec.has(name)
        ]
    return wanted


def estimator_clients(spec: KarmadaSpec) -> list[str]:
    """Return the components that call estimators."""
    asks = {"karmada-scheduler": spec.addons.estimators, "karmada-descheduler": spec.addons.descheduler}
    return [name for name, does in asks.items() if does]


def make(
    folder: Path,
    spec: KarmadaSpec,
    *,
    server: str,
    kubeconfig: Path,
    front: str | None = None,
    users: str | None = None,
    addresses: Sequence[str] = (),
) -> None:
    """Make everything in `folder`: authorities, leaves, the service-account keys, and the kubeconfigs. Valid existing files are kept.

    `server` is where karmada-apiserver is reached directly; the administrator's `kubeconfig` points to the load balancer where
    there is one, and `admin.kubeconfig` in the folder always directly. `front` is where the lab's own balancer is reached, by components
    too; the administrator's kubeconfig then asks for the external name there, or at `users` where users reach it elsewhere. `addresses`
    are those of machines, as in `leaves`. UsageError when a given authority cannot be used.
    """
    if spec.certificates.ca:
        adopt(spec.certificates.ca, folder)
    authorities = {"ca": Authority.ensure(folder, "ca", common_name="karmada")}
    if spec.etcd.external is None:
        authorities["etcd-ca"] = Authority.ensure(folder, "etcd-ca", common_name="etcd-ca")
    valid = dt.timedelta(days=spec.certificates.days)
    pairs = {
        leaf.name: authorities[leaf.authority].issue(
            leaf.name,
            common_name=leaf.common_name,
            organisations=[leaf.organisation] if leaf.organisation else [],
            hosts=leaf.hosts,
            valid=valid,
        )
        for leaf in leaves(spec, addresses)
    }
    ensure_service_account_keys(folder)
    ca = authorities["ca"].cert
    for name in (name for name in CALLERS if spec.has(name)):
        write_kubeconfig(folder / f"{name}.kubeconfig", context=CONTEXT, server=front or server, ca=ca, client=pairs[f"{name}-client"])
    write_kubeconfig(folder / "admin.kubeconfig", context=CONTEXT, server=server, ca=ca, client=pairs["client"])
    outside = f"https://{spec.load_balancer}" if spec.load_balancer else users or front or server
    write_kubeconfig(kubeconfig, context=CONTEXT, server=outside, ca=ca, client=pairs["client"], name=spec.by_binary.external_name)


def adopt(given: KeyPair, folder: Path) -> None:
    """Copy a given authority to `ca.crt` and `ca.key` of the folder. UsageError when it is not one, or another one is there."""
    cert, key = read_authority(given)
    there = folder / "ca.crt"
    if there.exists() and x509.load_pem_x509_certificate(there.read_bytes()) != x509.load_pem_x509_certificate(cert):
        raise UsageError(
            "this control plane already has another authority than the given one",
            where=f"{there}; given: {given.cert}",
            remedy="take the lab down first: certificates are not exchanged in place",
        )
    write_private(folder / "ca.key", key)
    write_private(there, cert, mode=0o644)


def host_of(address: str) -> str:
    """Return the host of host:port; the brackets of an IPv6 address are dropped."""
    return address.rpartition(":")[0].strip("[]")


def pair(folder: Path, name: str) -> Pair:
    """Return where a certificate and its key are."""
    return Pair(folder / f"{name}.crt", folder / f"{name}.key")
