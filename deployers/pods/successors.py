"""Successors of authorities: made in the run directory, trusted beside the former ones, then trusted alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from deployers.karmada import Karmada
from deployers.pods.held_keys import Exchange, fingerprint
from deployers.pods.issued import TrustedAuthority
from deployers.pods.keys import public_key
from lab.reissue import encode, reissue_authority
from lab.run import write_private


def successors_folder(karmada: Karmada) -> Path:
    """Return where a run keeps the successors of authorities, for good: an installer may have no place for the key."""
    return karmada.run.path / "pki" / karmada.name / "successors"


def make_successors(folder: Path, authorities: Iterable[TrustedAuthority]) -> None:
    """Make a successor of each authority, in the place of those in the folder."""
    for each in authorities:
        certificate, key = reissue_authority(each.certificate)
        write_private(folder / f"{each.name}.key", encode(key))
        write_private(folder / f"{each.name}.crt", certificate.public_bytes(Encoding.PEM), mode=0o644)


def read_successors(folder: Path, names: Collection[str]) -> dict[str, TrustedAuthority]:
    """Return the successors of the named authorities."""
    return {
        name: TrustedAuthority(
            name, x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes()), (folder / f"{name}.key").read_bytes()
        )
        for name in names
    }


def pair_up(
    authorities: Iterable[TrustedAuthority], successors: Mapping[str, TrustedAuthority]
) -> list[tuple[TrustedAuthority, TrustedAuthority]]:
    """Return each authority that has a successor, with it; a successor that is trusted already is none of them."""
    known = {fingerprint(each.certificate) for each in successors.values()}
    return [(each, successors[each.name]) for each in authorities if each.name in successors and fingerprint(each.certificate) not in known]


def trust_both(pairs: Iterable[tuple[TrustedAuthority, TrustedAuthority]]) -> Exchange:
    """Return the exchange of each authority for its successor and itself."""
    return Exchange({fingerprint(former.certificate): pem(successor) + pem(former) for former, successor in pairs})


def trust_successors(pairs: Iterable[tuple[TrustedAuthority, TrustedAuthority]]) -> Exchange:
    """Return the exchange that takes the former authorities away, and puts the successors' keys in the place of theirs."""
    found = list(pairs)
    keys = {public_key(former.key): successor.key for former, successor in found if former.key and successor.key}
    return Exchange({fingerprint(former.certificate): pem(successor) for former, successor in found}, keys)


def pem(authority: TrustedAuthority) -> bytes:
    """Return the certificate of an authority as PEM."""
    return authority.certificate.public_bytes(Encoding.PEM)
