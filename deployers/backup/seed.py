"""Put the data and keys of a backup in the place of those of a control plane."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deployers.addons import site
from deployers.backup.archive import KEYS, SNAPSHOT, Manifest
from deployers.by_binary.installation import BinaryInstallation
from deployers.etcd.tools import Etcdutl
from deployers.names import REVISION_BUMP
from deployers.plane.layout import etcd_addresses, etcds
from deployers.spec import ETCDS
from lab.run import write_private

EXCHANGE = """
[ -e "$1" ] && [ ! -e "$1.before" ] && mv -- "$1" "$1.before"
rm -rf -- "$1" && mv -- "$1.restored" "$1"
"""
"""Put restored data in the place of a member's. An interrupted restore has put the real data aside already."""


def seed(plane: BinaryInstallation, utl: Etcdutl, folder: Path, manifest: Manifest) -> None:
    """Move the backup's keys and data into place. Keep the old ones beside them as `<member>.before` until the plane serves."""
    run, data = plane.run, plane.layout.data
    names = etcds(plane.karmada)
    peers = etcd_addresses(run, plane.spec, names, "peer")
    run.folder("data", plane.karmada.name)
    snapshot = data / "restored.db"  # each machine makes its member's data: they are 64 MiB and more, mostly zeros
    write_private(snapshot, (folder / SNAPSHOT).read_bytes())
    for name in names:
        place = plane.place(name)
        place.delete(data / f"{name}.restored")
        place.make_folders(data)
        place.bring([utl.program])
        place.push([snapshot])
        replace(utl, machine=place.machine, program=place.path(utl.program))(
            *("snapshot", "restore", str(place.path(snapshot)), f"--name={name}", f"--data-dir={place.path(data / f'{name}.restored')}"),
            *(f"--initial-cluster={','.join(f'{each_}={peers[each_]}' for each_ in names)}", "--initial-cluster-token=karmada"),
            *(f"--initial-advertise-peer-urls={peers[name]}", f"--bump-revision={REVISION_BUMP}", "--mark-compacted"),
        )
    for name in names:
        place = plane.place(name)
        place.delete(snapshot)
        place.machine.run(["sh", "-c", EXCHANGE, "sh", str(place.path(data / name))])
        run.forget("etcd", name)  # all of them begin together again
    snapshot.unlink(missing_ok=True)
    pki = run.folder("pki", plane.karmada.name)
    for name in KEYS:
        if not (pki / name).exists():
            write_private(pki / name, (folder / "pki" / name).read_bytes(), mode=0o600 if name.endswith(".key") else 0o644)
    run.forget(plane.karmada.name, "crds")  # which were applied to what was there before
    if manifest.addons is not None:
        site.restore_records(run, plane.karmada.name, manifest.addons)
    run.journal("seeded", revision=manifest.revision, members=list(names))


def delete_former_data(plane: BinaryInstallation) -> None:
    """Delete etcd's old data."""
    for name in ETCDS:
        plane.place(name).delete(plane.layout.data / f"{name}.before")
