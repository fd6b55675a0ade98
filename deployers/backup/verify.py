"""Prove that a backup can be restored, without restoring it: every byte, every key of the snapshot, every pair of keys.

No lab is needed or changed, only etcdutl, which reads files.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, load_pem_public_key

from deployers.backup import archive
from deployers.backup.archive import SNAPSHOT, Manifest, UnusableBackup
from deployers.etcd.tools import Etcdutl
from lab.errors import CommandFailed

Json = dict[str, Any]
TRAILER = hashlib.sha256().digest_size
"""etcdctl ends a snapshot with the sha256 of all before it."""
SPKI = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def verify(path: Path, folder: Path, utl: Etcdutl) -> Manifest:
    """Unpack an archive into a folder that is the caller's to delete, prove every part, and return what the archive says of itself.

    Unusable says what is wrong with it.
    """
    manifest = archive.unpack(path, folder)
    snapshot = folder / SNAPSHOT
    prove_snapshot(snapshot, manifest, path, utl)
    prove_keys(folder / "pki", manifest, path)
    return manifest


def prove_snapshot(snapshot: Path, manifest: Manifest, path: Path, utl: Etcdutl) -> None:
    """Check etcd's digest of the snapshot, and compare etcdutl's count of all keys with the manifest. Unusable names the difference."""
    digest = hashlib.sha256()
    with snapshot.open("rb") as file:
        left = snapshot.stat().st_size - TRAILER
        while left > 0:
            block = file.read(min(left, archive.CHUNK))
            left -= len(block)
            digest.update(block)
        if file.read() != digest.digest():
            raise archive.damaged_error(str(path), "etcd's own digest of the snapshot differs")
    try:
        status = snapshot_status(utl, snapshot)
    except CommandFailed as failed:
        raise archive.damaged_error(str(path), f"etcdutl cannot read the snapshot ({failed.output.strip()[-200:]})") from failed
    expected = (manifest.revision, manifest.hash, manifest.keys)
    if (found := (status["revision"], status["hash"], status["totalKey"])) != expected:
        raise archive.damaged_error(str(path), f"revision, hash and number of keys are {found}, not {expected}")
    if manifest.keys == 0:
        raise UnusableBackup("the snapshot in this backup is empty", where=str(path), remedy="use another backup")


def prove_keys(pki: Path, manifest: Manifest, path: Path) -> None:
    """Return when every key can be read, belongs to its certificate, and is of the plane that the manifest names."""
    try:
        pairs = [("ca.crt", "ca.key"), ("etcd-ca.crt", "etcd-ca.key")]
        keys = {name: x509.load_pem_x509_certificate((pki / name).read_bytes()).public_key() for name, _ in pairs}
        keys["sa.pub"] = load_pem_public_key((pki / "sa.pub").read_bytes())  # type: ignore[assignment]  # compared by its bytes alone
        for public, private in (*pairs, ("sa.pub", "sa.key")):
            if spki(load_pem_private_key((pki / private).read_bytes(), None)) != keys[public].public_bytes(*SPKI):
                raise archive.damaged_error(str(path), f"{private} is not the key of {public}")
    except (OSError, ValueError, TypeError) as error:
        raise archive.damaged_error(str(path), f"a key in it cannot be read ({error})") from error
    if fingerprint(pki / "ca.crt") != manifest.plane:
        raise archive.damaged_error(str(path), "its authority is not that of the plane it names")


def spki(key: PrivateKeyTypes) -> bytes:
    """Return the public half of a private key, as bytes that can be compared."""
    return key.public_key().public_bytes(*SPKI)


def fingerprint(certificate: Path) -> str:
    """Return the sha256 of a certificate, which identifies a control plane's CA."""
    return fingerprint_of(certificate.read_bytes())


def fingerprint_of(certificate: bytes) -> str:
    """Return the same of a certificate's text."""
    return hashlib.sha256(x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)).hexdigest()


def snapshot_status(utl: Etcdutl, snapshot: Path) -> Json:
    """Return what etcdutl says of a snapshot, which it reads from one end to the other: revision, hash, totalKey."""
    found: Json = json.loads(utl("snapshot", "status", str(snapshot), "--write-out=json"))
    return found
