"""What a new lab with Karmada in pods is made from when it is made from a backup: keys and snapshot, put where its installer takes them.

Of upstream's installers the manifests alone take both an authority and a service-account key that exist; the others make keys of their
own, by which tokens in the backup would not be known.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from deployers.addons import site
from deployers.backup.archive import SNAPSHOT, Manifest
from deployers.deployer import get_deployer
from deployers.karmada import Karmada
from deployers.pods.etcd.certificates import CLIENTS, pki_folder
from deployers.pods.etcd.install import SEED
from deployers.pods.etcd.names import runs_own_etcd
from deployers.wanted import Wanted
from lab.errors import NotPossible
from lab.run import write_private
from lab.spec import Capability

TAKES_KEYS = "by_yaml"


def goes_into_pods(wanted: Wanted) -> bool:
    """Return whether the Karmada of a new lab runs in pods. NotPossible when such a one cannot be made from a backup."""
    spec = wanted.karmada
    if spec is None or Capability.PODS not in get_deployer(spec.deployer).needs:
        return False
    if spec.deployer != TAKES_KEYS:
        raise NotPossible(
            f"{spec.deployer} cannot make a Karmada from a backup: its installer makes a service-account key of its own",
            where="karmada.deployer",
            remedy=f'give a lab file with deployer = "{TAKES_KEYS}" (or "by_binary") by --spec; the backup may be of any deployer',
        )
    if not runs_own_etcd(spec):
        raise NotPossible(
            "upstream's etcd cannot begin with the data of a backup",
            where="karmada.etcd",
            remedy="give etcd.members = 3 or etcd.storage in the new lab's file: the lab's own etcd can",
        )
    if wanted.lab.host.kubeconfig:
        raise NotPossible(
            "a backup is restored into clusters of the lab only: it needs an image that their nodes have",
            where="host.kubeconfig",
            remedy="let the lab make the host cluster",
        )
    return True


def keep_for_installer(karmada: Karmada, folder: Path, manifest: Manifest) -> None:
    """Put the keys and the snapshot of a backup where the installation of a new lab takes them."""
    run, pki = karmada.run, karmada.run.folder("pki", karmada.name)
    own = pki_folder(run, karmada.name)
    for name in ("ca.crt", "ca.key", "sa.pub", "sa.key"):
        write_private(pki / name, (folder / "pki" / name).read_bytes(), mode=0o600 if name.endswith(".key") else 0o644)
    for end in ("crt", "key"):
        write_private(own / f"{CLIENTS}.{end}", (folder / "pki" / f"etcd-ca.{end}").read_bytes())
    kept = run.folder("data", karmada.name) / SNAPSHOT
    shutil.copyfile(folder / SNAPSHOT, kept)
    kept.chmod(0o600)
    run.record(*SEED, {"snapshot": str(kept)})
    if manifest.addons is not None:
        site.restore_records(run, karmada.name, manifest.addons)
    run.journal("seeded", revision=manifest.revision, members=karmada.spec.etcd.members)


def drop_snapshot(karmada: Karmada) -> None:
    """Delete the snapshot that a new lab began with."""
    (karmada.run.path / "data" / karmada.name / SNAPSHOT).unlink(missing_ok=True)
    karmada.run.forget(*SEED)
