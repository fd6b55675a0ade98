"""Check that a backup can be restored here: versions, control plane, and that the old one is stopped."""

from __future__ import annotations

from pathlib import Path

from deployers.backup.archive import Manifest, UnusableBackup
from deployers.backup.verify import fingerprint_of
from deployers.karmada import Karmada
from deployers.release import Release
from lab.assets import AssetRef
from lab.assets.refs import version_key
from lab.component import Health, HealthProbe
from lab.errors import UsageError
from lab.hints import command
from lab.wait import NotYet


def require_versions(manifest: Manifest, release: Release, kubernetes: str, path: Path) -> None:
    """Return when a backup is of the Karmada that is to run it, and of an etcd and a Kubernetes that can read it. Unusable otherwise."""
    pinned = release.supply.pins.pin(AssetRef("etcd")).version
    here = {"karmada": release.version, "kubernetes": kubernetes, "etcd": pinned}
    remedies = {
        "karmada": "install {version} there (--release {version}), restore, then: lab upgrade {here}",
        "kubernetes": "restore it where karmada-apiserver is of {version} (karmada.kubernetes of the lab file)",
        "etcd": "restore it with a karmada-lab that has etcd {version}",
    }
    for name, version in manifest.versions.items():
        same = version == here[name] if name == "karmada" else version_key(version)[:2] == version_key(here[name])[:2]
        if not same:
            age = "an older" if version_key(version) < version_key(here[name]) else "a newer"
            raise UnusableBackup(
                f"this backup is of {age} {name} than the one here: {version}, not {here[name]}",
                where=str(path),
                remedy=remedies[name].format(version=version, here=here[name]),
            )


def require_same_plane(manifest: Manifest, karmada: Karmada, path: Path) -> None:
    """Return when a backup is of this very plane, or this one has lost its authority. Unusable: it is another's."""
    here = karmada.run.path / "pki" / karmada.name / "ca.crt"
    if here.is_file():
        require_plane(manifest, here.read_bytes(), path)


def require_plane(manifest: Manifest, authority: bytes, path: Path) -> None:
    """Return when a backup is of the plane with this authority. Unusable: it is another's."""
    if fingerprint_of(authority) != manifest.plane:
        raise UnusableBackup(
            f"this backup is of another control plane: that of lab {manifest.lab}",
            where=f"{path}: authority {manifest.plane[:8]}; here: {fingerprint_of(authority)[:8]}",
            remedy=f"to move the control plane, restore into a new lab: {command('restore', str(path), '--lab', 'NEW')}",
        )


def require_old_plane_down(manifest: Manifest, folder: Path) -> None:
    """Return when the plane that was backed up does not answer at its address. UsageError when it does: two would fight over members."""
    try:
        HealthProbe(Health(f"{manifest.server}/readyz", folder / "pki" / "ca.crt")).ask()
    except NotYet:
        return
    raise UsageError(
        "the control plane of this backup still runs: a second one with the same members would undo what the first one does",
        where=f"{manifest.server} (lab {manifest.lab})",
        remedy=f"end it first: {command('stop', 'karmada', lab=manifest.lab)}",
    )
