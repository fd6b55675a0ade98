"""Keys, certificates and kubeconfigs of a Karmada control plane, in the layout of v1.18.

Which certificates there are, their subjects and names: upstream's hack/deploy-karmada.sh and its documentation (administrator/security/
cert-framework): one server certificate for each component that serves, one client certificate for each that calls, all
signed by `ca`. One thing differs on purpose: what has to do with etcd is signed by an authority of its own, `etcd-ca`, so that no
other certificate of Karmada opens etcd.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deployers.spec import KarmadaSpec, KeyPair
from lab.errors import UsageError
from lab.pki import Authority, Pair, is_address, service_account_keys, write_kubeconfig
from lab.run import write_private

NAMESPACE = "karmada-system"
CONTEXT = "karmada-apiserver"
"""The context in every kubeconfig of Karmada; upstream's tests expect this name."""
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
class Leaf:
    """One certificate: its file's name, subject, the names it serves under, and which of the two authorities signs it."""

    name: str
    common_name: str
    organisation: str = ""
    hosts: tuple[str, ...] = ()
    authority: str = "ca"


def service_names(service: str) -> tuple[str, ...]:
    """Return the names of a Service of Karmada inside a cluster."""
    return (f"{service}.{NAMESPACE}.svc.cluster.local", f"{service}.{NAMESPACE}.svc")


def leaves(spec: KarmadaSpec) -> list[Leaf]:
    """Return every certificate that this control plane needs. Nothing is read or written."""
    balancer = [host_of(spec.load_balancer)] if spec.load_balancer else [spec.external_name] if spec.external_name else []
    outside = (*spec.certificates.hosts, *balancer)
    wanted = [
        Leaf("server", "server", hosts=(*service_names("*"), *LOCAL)),
        Leaf("client", "system:admin", MASTERS),
        Leaf("front-proxy-client", "front-proxy-client"),
    ]
    for name in (name for name in SERVERS if spec.has(name)):
        extra = outside if name == "karmada-apiserver" else ()
        wanted.append(Leaf(name, f"system:karmada:{name}", hosts=(*service_names(name), *LOCAL, *extra)))
    wanted += [Leaf(f"{name}-client", f"system:karmada:{name}", MASTERS) for name in ("karmada-apiserver", *CALLERS) if spec.has(name)]
    if spec.addons.estimators:
        estimator = "karmada-scheduler-estimator"
        wanted.append(Leaf(estimator, f"system:karmada:{estimator}", hosts=(*service_names("*"), *LOCAL)))
    wanted += [Leaf(f"{name}-grpc", f"system:karmada:{name}-grpc", MASTERS) for name in estimating(spec)]
    if spec.etcd.external is None:
        names = (*service_names("etcd"), *service_names("etcd-client"), *LOCAL)
        wanted += [
            Leaf("etcd-server", "system:karmada:etcd-server", hosts=names, authority="etcd-ca"),
            Leaf("etcd-peer", "system:karmada:etcd-peer", hosts=names, authority="etcd-ca"),
            Leaf("etcd-client", "system:karmada:etcd-etcd-client", authority="etcd-ca"),
        ]
        wanted += [
            Leaf(f"{name}-etcd-client", f"system:karmada:{name}-etcd-client", MASTERS, authority="etcd-ca")
            for name in ETCD_CALLERS
            if spec.has(name)
        ]
    return wanted


def estimating(spec: KarmadaSpec) -> list[str]:
    """Return the components that ask estimators."""
    asks = {"karmada-scheduler": spec.addons.estimators, "karmada-descheduler": spec.addons.descheduler}
    return [name for name, does in asks.items() if does]


def make(folder: Path, spec: KarmadaSpec, *, server: str, kubeconfig: Path, front: str | None = None) -> None:
    """Make everything in `folder`: authorities, leaves, the service-account keys, and the kubeconfigs. What is there and good is kept.

    `server` is where karmada-apiserver is reached directly; the administrator's `kubeconfig` points to the load balancer where
    there is one, and `admin.kubeconfig` in the folder always directly. `front` is where the lab's own balancer is reached, by components
    too; the administrator's kubeconfig then asks for the external name there. UsageError when a given authority cannot be used.
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
        for leaf in leaves(spec)
    }
    service_account_keys(folder)
    ca = authorities["ca"].cert
    for name in (name for name in CALLERS if spec.has(name)):
        write_kubeconfig(folder / f"{name}.kubeconfig", context=CONTEXT, server=front or server, ca=ca, client=pairs[f"{name}-client"])
    write_kubeconfig(folder / "admin.kubeconfig", context=CONTEXT, server=server, ca=ca, client=pairs["client"])
    outside = f"https://{spec.load_balancer}" if spec.load_balancer else front or server
    write_kubeconfig(kubeconfig, context=CONTEXT, server=outside, ca=ca, client=pairs["client"], name=spec.external_name)


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


def read_authority(given: KeyPair) -> tuple[bytes, bytes]:
    """Return the files of a given authority. UsageError says why they cannot sign certificates."""
    where = f"certificates.ca: {given.cert}, {given.key}"
    remedy = "give a CA certificate and its unencrypted key, both PEM"
    try:
        cert, key = given.cert.read_bytes(), given.key.read_bytes()
        certificate = x509.load_pem_x509_certificate(cert)
        private = serialization.load_pem_private_key(key, None)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise UsageError(f"the given authority cannot be used: {error}", where=where, remedy=remedy) from error
    if private.public_key() != certificate.public_key():
        raise UsageError("the given key is not that of the given certificate", where=where, remedy=remedy)
    if not constraints.ca:
        raise UsageError("the given certificate is not an authority's: it may not sign others", where=where, remedy=remedy)
    if certificate.not_valid_after_utc <= dt.datetime.now(dt.UTC):
        raise UsageError(f"the given authority expired on {certificate.not_valid_after_utc:%Y-%m-%d}", where=where, remedy=remedy)
    return cert, key


def may_not_sign(cert: bytes, names: Sequence[str]) -> list[str]:
    """Return for which of these names an authority may not sign, by its own name constraints (RFC 5280, 4.2.1.10): clients refuse those."""
    try:
        found = x509.load_pem_x509_certificate(cert).extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return []

    def within(name: str, subtrees: Sequence[x509.GeneralName]) -> bool:
        if is_address(name):
            return any(isinstance(each, x509.IPAddress) and ip_address(name) in ip_network(str(each.value)) for each in subtrees)
        trees = [each.value.lstrip(".") for each in subtrees if isinstance(each, x509.DNSName)]
        return any(name == tree or name.endswith(f".{tree}") for tree in trees)

    permitted, excluded = found.value.permitted_subtrees or (), found.value.excluded_subtrees or ()

    def refused(name: str) -> bool:
        kind = x509.IPAddress if is_address(name) else x509.DNSName
        bounded = any(isinstance(each, kind) for each in permitted)
        return within(name, excluded) or (bounded and not within(name, permitted))

    bounds = ", ".join([*(str(each.value) for each in permitted), *(f"not {each.value}" for each in excluded)])
    return [f"may not sign for {name}: it is confined to {bounds}" for name in dict.fromkeys(names) if refused(name)]


def host_of(address: str) -> str:
    """Return the host of host:port; the brackets of an IPv6 address are dropped."""
    return address.rpartition(":")[0].strip("[]")


def pair(folder: Path, name: str) -> Pair:
    """Return where a certificate and its key are."""
    return Pair(folder / f"{name}.crt", folder / f"{name}.key")


def check_files(files: Sequence[Path], *, key: str) -> list[str]:
    """Return what is in the way of reading files that a spec names: one sentence for each that is not there."""
    return [f"{key} names {file}, which is not a file that can be read" for file in files if not file.is_file()]
