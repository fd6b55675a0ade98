"""The move to a new site: a control plane that is lost or given up comes up elsewhere from its backup, and its members follow it.

The new lab has an etcd, addresses and certificates of its own and the old authority and keys, so that members let it in and it lets
members in. Push members are reached from the new place with the credentials in the backup; nothing on them changes. A pull member's
agent calls the address it was given: where that is a name (`load_balancer`), the name is to lead to the new place; else the agent is
to be registered again.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from deployers.backup.archive import Manifest
from deployers.backup.move_pods import drop_snapshot, goes_into_pods, keep_for_installer
from deployers.backup.rejoin import wait_members_reached
from deployers.backup.requirements import require_old_plane_down, require_versions
from deployers.backup.restore import RestoreResult
from deployers.backup.seed import seed
from deployers.backup.verify import verify
from deployers.by_binary.installation import open_plane
from deployers.etcd.tools import Etcdutl
from deployers.karmada import Karmada
from deployers.members.registry import list_members
from deployers.release import Release, make_supply
from deployers.spec import KarmadaSpec
from deployers.up.bring_up import bring_up
from deployers.wanted import prepare
from lab.assets import Supply
from lab.errors import UsageError
from lab.machines.local import Local
from lab.run import run_path
from lab.steps import StepObserver

Json = dict[str, Any]


def move(
    path: Path,
    run_id: str,
    *,
    supply: Supply | None = None,
    asked: Json | None = None,
    watcher: StepObserver | None = None,
    label: str = "lab restore",
) -> RestoreResult:
    """Bring up a lab that is not there yet with the control plane of a backup on it; return when it reaches its push members.

    `asked` is the document of the new lab; without one it is a host cluster and the Karmada that the backup describes. Unusable or
    UsageError, with nothing created: as in `restore.restore`, or the old plane still runs. The lab is held by `Restored.hold`.
    """
    if (run_path(run_id) / "run.json").exists():
        raise UsageError(f"lab {run_id} exists already", remedy="choose a new name, or restore the lab's own backup in place")
    supply = supply or make_supply()
    with tempfile.TemporaryDirectory(prefix="karmada-lab-restore-") as kept:
        folder = Path(kept)
        utl = Etcdutl.found(Local(folder), supply)
        manifest = verify(path, folder, utl)
        wanted = prepare(asked or derive_lab(manifest), source=f"the lab of {path}")
        if wanted.karmada is None or wanted.karmada.etcd.external:
            raise UsageError(
                "the new lab has no Karmada with an etcd of its own to restore into", remedy="add a table [karmada] to its lab file"
            )
        in_pods = goes_into_pods(wanted)
        require_versions(manifest, Release.parse(wanted.karmada.release, supply=supply), wanted.karmada.kubernetes, path)
        require_old_plane_down(manifest, folder)
        age, began = time.time() - manifest.taken, time.monotonic()
        brought = bring_up(
            wanted,
            run_id,
            supply=supply,
            watcher=watcher,
            label=label,
            seed=lambda lab: (
                keep_for_installer(Karmada.open(lab), folder, manifest)
                if in_pods
                else seed(open_plane(Karmada.open(lab)), utl, folder, manifest)
            ),
        )
        assert brought.karmada
        if in_pods:
            drop_snapshot(brought.karmada)
        wait_members_reached(brought.karmada)
    return RestoreResult(brought.karmada, manifest, time.monotonic() - began, age, None, tuple(list_members(brought.karmada)), brought.hold)


def omit(table: Json, key: str) -> Json:
    """Return a table without a key."""
    return {name: value for name, value in table.items() if name != key}


def derive_lab(manifest: Manifest) -> Json:
    """Return the document of a lab for a backup's Karmada alone: its members are elsewhere and stay there."""
    spec = KarmadaSpec.model_validate({**manifest.spec, "members": []})
    karmada = spec.model_dump(mode="json", exclude_defaults=True)
    karmada.get("addons", {}).pop("estimators", None)  # they are programs beside members, which are not of this lab
    karmada.get("certificates", {}).pop("ca", None)  # it comes from the backup
    if spec.by_binary.machines:  # the new lab is of this computer alone, unless its document says otherwise
        karmada["by_binary"] = {key: value for key, value in karmada["by_binary"].items() if key not in {"machines", "virtual_address"}}
        karmada["components"] = {name: omit(settings, "replicas") for name, settings in karmada.get("components", {}).items()}
    return {"kubernetes": manifest.versions["kubernetes"], "members": [], "karmada": {**karmada, "release": spec.release}}
