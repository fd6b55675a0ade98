"""Which authorities a control plane in pods trusts, which certificates they signed, and successors of these.

The flags of karmada-apiserver and of etcd name the authorities, with every installer: so a certificate of a member, which an estimator's
kubeconfig holds, or of the user's own etcd is never taken for one of Karmada's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deployers.karmada import Karmada
from deployers.names import NAMESPACE
from deployers.plane.flags import join_values
from deployers.pods import workloads
from deployers.pods.held_keys import PRIVATE, Exchange, certificates_in, fingerprint, half_of, pems_in
from deployers.pods.keys import public_key, read_mounted
from lab.api import Api
from lab.component import parse_flags
from lab.reissue import encode, find_issuer, is_authority, load_key, make_key_like, reissue_leaf

API_SERVER, ETCD, SIGNER = "karmada-apiserver", "etcd", "kube-controller-manager"
AUTHORITY_FLAGS: Mapping[tuple[str, str], str] = {
    (API_SERVER, "client-ca-file"): "ca",
    (API_SERVER, "requestheader-client-ca-file"): "front-proxy-ca",
    (API_SERVER, "etcd-cafile"): "etcd-ca",
    (ETCD, "peer-trusted-ca-file"): "etcd-peer-ca",
}
"""By component and flag, what an authority is called; one that has several uses has the first name."""
TOKEN_FLAGS = ((API_SERVER, "service-account-signing-key-file"), (SIGNER, "service-account-private-key-file"))
"""Keys that sign tokens of service accounts: in the chart it is the key of a certificate, too. They stay, or the tokens would end."""
Held = Mapping[str, Mapping[str, bytes]]
"""Texts by place and name."""


@dataclass(frozen=True)
class TrustedAuthority:
    """An authority that Karmada trusts, and its private key unless its installer threw that away."""

    name: str
    certificate: x509.Certificate
    key: bytes | None


@dataclass(frozen=True)
class IssuedLeaf:
    """A certificate of such an authority, where it was found first, and its private key."""

    name: str
    certificate: x509.Certificate
    key: bytes
    authority: TrustedAuthority


def trusted_authorities(karmada: Karmada, held: Held) -> list[TrustedAuthority]:
    """Return the authorities that are Karmada's own, each once; that of an external etcd is its owner's. ProvisionError without a pod."""
    named: dict[bytes, tuple[str, x509.Certificate]] = {}
    for (component, flag), name in AUTHORITY_FLAGS.items():
        if karmada.spec.etcd.external and name.startswith("etcd"):
            continue
        for found in read_flagged(karmada.lab.host.api, component, flag):
            for certificate in certificates_in(found):
                named.setdefault(fingerprint(certificate), (name, certificate))
    keys = private_keys(held)
    return [TrustedAuthority(name, certificate, keys.get(public_of(certificate))) for name, certificate in named.values()]


def read_flagged(host: Api, component: str, flag: str) -> Iterator[bytes]:
    """Yield the file that a flag of each workload of a component names; nothing where there is no such workload or flag."""
    for each in workloads.workloads(host):
        if each.component == component and (path := join_values(parse_flags(each.argv).get(flag))):
            template = {"metadata": {"name": each.name, "namespace": NAMESPACE}, "spec": each.item["spec"]["template"]["spec"]}
            yield read_mounted(host, template, path)


def token_keys(host: Api) -> set[bytes]:
    """Return the public halves of the keys that sign tokens."""
    return {public_key(text) for component, flag in TOKEN_FLAGS for text in read_flagged(host, component, flag)}


def private_keys(held: Held) -> dict[bytes, bytes]:
    """Return every private key, by its public half."""
    texts = (pem for values in held.values() for value in values.values() for pem in pems_in(value) if PRIVATE in pem)
    return {half: text for text in texts if (half := half_of(text))}


def public_of(certificate: x509.Certificate) -> bytes:
    """Return the public key of a certificate, as PEM."""
    return certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def issued_leaves(held: Held, authorities: Iterable[TrustedAuthority]) -> list[IssuedLeaf]:
    """Return each certificate of these authorities once, if its private key is held."""
    by_print = {fingerprint(each.certificate): each for each in authorities}
    keys, found = private_keys(held), dict[bytes, IssuedLeaf]()
    for place, values in held.items():
        for name, value in values.items():
            for certificate in (each for pem in pems_in(value) for each in certificates_in(pem)):
                issuer = None if is_authority(certificate) else find_issuer(certificate, [each.certificate for each in by_print.values()])
                key = keys.get(public_of(certificate))
                if issuer and key:
                    leaf = IssuedLeaf(f"{place}/{name}", certificate, key, by_print[fingerprint(issuer)])
                    found.setdefault(fingerprint(certificate), leaf)
    return list(found.values())


def ending(leaves: Iterable[IssuedLeaf], before: dt.timedelta | None) -> list[IssuedLeaf]:
    """Return the leaves that end within a time; None: all."""
    until = dt.datetime.now(dt.UTC) + (before or dt.timedelta())
    return [leaf for leaf in leaves if before is None or leaf.certificate.not_valid_after_utc < until]


def make_successor_leaves(
    leaves: Iterable[IssuedLeaf], *, days: int, keep: Collection[bytes], signers: Mapping[bytes, TrustedAuthority] | None = None
) -> Exchange:
    """Return the exchange of leaves for successors, with new keys but for those to keep (public halves).

    `signers` are the authorities that sign in the place of others, by the others' fingerprints. An authority's key must be there.
    """
    certificates: dict[bytes, bytes] = {}
    made: dict[bytes, bytes] = {}
    for leaf in leaves:
        half, former = public_key(leaf.key), leaf.certificate
        if half not in made:
            made[half] = leaf.key if half in keep else encode(make_key_like(former))
        signer = (signers or {}).get(fingerprint(leaf.authority.certificate), leaf.authority)
        assert signer.key, "asked before"
        successor = reissue_leaf(
            former, load_key(made[half]), issuer=signer.certificate, signer=load_key(signer.key), valid=dt.timedelta(days=days)
        )
        certificates[fingerprint(former)] = successor.public_bytes(Encoding.PEM)
    return Exchange(certificates, made)
