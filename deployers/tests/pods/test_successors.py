"""Successors are made once, trusted beside the former authorities, and then alone."""

from __future__ import annotations

from pathlib import Path

from deployers.pods.held_keys import fingerprint
from deployers.pods.issued import TrustedAuthority
from deployers.pods.keys import public_key
from deployers.pods.successors import make_successors, pair_up, pem, read_successors, trust_both, trust_successors
from lab.pki import Authority


def authority(folder: Path, name: str, *, key: bool = True) -> TrustedAuthority:
    made = Authority.ensure(folder, name, common_name=name)
    return TrustedAuthority(name, made.certificate, made.key_file.read_bytes() if key else None)


def test_each_authority_is_paired_with_its_successor(tmp_path: Path) -> None:
    ca, proxy = authority(tmp_path, "ca"), authority(tmp_path, "front-proxy-ca", key=False)
    make_successors(tmp_path / "next", [ca, proxy])
    found = read_successors(tmp_path / "next", ["ca", "front-proxy-ca"])
    assert (tmp_path / "next" / "ca.key").stat().st_mode & 0o777 == 0o600

    pairs = pair_up([ca, proxy, found["ca"]], found)

    assert pairs == [(ca, found["ca"]), (proxy, found["front-proxy-ca"])]
    assert trust_both(pairs).certificates[fingerprint(ca.certificate)] == pem(found["ca"]) + pem(ca)
    after = trust_successors(pairs)
    assert after.certificates[fingerprint(proxy.certificate)] == pem(found["front-proxy-ca"])
    assert ca.key
    assert after.keys == {public_key(ca.key): found["ca"].key}, "the installer kept no key of the other"


def test_an_authority_that_is_not_exchanged_has_no_pair(tmp_path: Path) -> None:
    ca, etcd = authority(tmp_path, "ca"), authority(tmp_path, "etcd-ca")
    make_successors(tmp_path / "next", [ca])
    assert pair_up([ca, etcd], read_successors(tmp_path / "next", ["ca"])) == [(ca, read_successors(tmp_path / "next", ["ca"])["ca"])]
