"""Restore a control plane: an ordinary installation with etcd's data and the keys from a backup.

    in place     the plane of this lab, which may be broken, is set back to the backup
    elsewhere    a lab of another name gets the plane: another etcd, other addresses, the same authority. The old one must not run any more.

All of Karmada is stopped first, etcd too: controllers cache objects by resourceVersion, and a restored etcd would count from an earlier
revision. So the revision is moved far ahead and everything before it marked as compacted (etcdutl: --bump-revision, --mark-compacted),
which makes watchers list again. Then the ordinary installation runs; it corrects every address in webhooks, conversion, aggregated APIs and
cluster-info.

What happens to objects, asserted by scenarios/test_backup.py:

    made after the backup      stays on its members, running and untouched: nothing of Karmada owns it any more. `list_unowned` lists it.
                               Given to Karmada again under its name it is taken over as it is; to be rid of it, delete it on the member.
    changed after the backup   is set back to what it was, on members too
    deleted after the backup   is there again, on members too
    third-party addons         are on Karmada in the version that they had then, and ours; on members as they are now. `lab addon upgrade`
                               brings them together.
    members                    run on; those that were registered are reached again with the credentials in the backup
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from functools import partial
from pathlib import Path

from deployers.backup.archive import Manifest
from deployers.backup.rejoin import rejoin, wait_members_reached
from deployers.backup.requirements import require_same_plane, require_versions
from deployers.backup.restore_pods import WHAT, restore_in_pods
from deployers.backup.seed import delete_former_data, seed
from deployers.backup.take import scratch_directory
from deployers.backup.verify import verify
from deployers.by_binary.deployer import stop_programs
from deployers.by_binary.installation import BinaryInstallation, install_steps, open_plane
from deployers.checks import description
from deployers.etcd.client import EtcdClient
from deployers.etcd.members import has_pods
from deployers.etcd.tools import Etcdutl
from deployers.karmada import Karmada
from deployers.members import agent
from deployers.members.registry import list_members
from deployers.names import READY, REVISION_BUMP
from deployers.plane import pending_operation
from deployers.up.bring_up import with_closing_steps
from lab.errors import LabError
from lab.hints import command
from lab.programs import read_programs
from lab.steps import Step, StepObserver, execute
from lab.supervisor.client import Hold

GRACE = 1.0


@dataclass(frozen=True)
class RestoreResult:
    """The result of a restore.

    `seconds` is how long nothing served (RTO), `age` how old the backup was when it began: the most that was lost (RPO). `lost`
    counts the revisions of etcd that were written since; None: the old etcd could not be asked any more.
    """

    karmada: Karmada
    manifest: Manifest
    seconds: float
    age: float
    lost: int | None
    members: tuple[str, ...]
    hold: Hold | None = None
    """The hold of a lab that was made for the restore; the caller releases it."""


def restore(karmada: Karmada, path: Path, *, chosen: Sequence[str] = (), watcher: StepObserver | None = None) -> RestoreResult:
    """Restore a control plane from a backup; return when it serves and reaches every member that it knows.

    `chosen` are the arguments of `lab restore` that name this archive, where its path is that of a copy.

    Unusable or UsageError, with nothing touched: the archive is damaged, another plane's, or of other versions. What was in etcd before is
    kept until the restored plane serves; after a failure it is in `data/karmada/*.before`, and the same command goes on.
    """
    if has_pods(karmada):
        manifest, seconds, age, lost = restore_in_pods(karmada, path, chosen=chosen, watcher=watcher)
        return RestoreResult(karmada, manifest, seconds, age, lost, tuple(list_members(karmada)))
    plane, etcd = open_plane(karmada), EtcdClient.of(karmada)
    with scratch_directory(karmada.run) as folder:
        manifest = verify(path, folder, etcd.utl)
        require_versions(manifest, karmada.release, karmada.spec.kubernetes, path)
        require_same_plane(manifest, karmada, path)
        discard_other_operation(karmada)
        age, lost = time.time() - manifest.taken, count_revisions_since(etcd, manifest)
        began = time.monotonic()
        again = command("restore", *(chosen or [str(path)]), lab=karmada.run.id)
        with pending_operation.hold_pending(karmada.run, WHAT, again=again, path=" ".join(chosen) or str(path), revision=manifest.revision):
            execute(restore_steps(plane, etcd.utl, folder, manifest), karmada.run, watcher=watcher)
        seconds = time.monotonic() - began
    delete_former_data(plane)
    description.save(karmada)
    known = tuple(list_members(karmada))
    karmada.run.journal("restored", path=" ".join(chosen) or str(path), seconds=round(seconds, 3), age=round(age, 3), lost=lost)
    return RestoreResult(karmada, manifest, seconds, age, lost, known)


def discard_other_operation(karmada: Karmada) -> None:
    """Put aside whatever change was half done: a restore replaces all that it could have left."""
    if karmada.run.recorded(pending_operation.KIND, pending_operation.NAME) and not pending_operation.facts_of(karmada.run, WHAT):
        karmada.run.forget(pending_operation.KIND, pending_operation.NAME)


def count_revisions_since(etcd: EtcdClient, manifest: Manifest) -> int | None:
    """Return how many revisions etcd is past a backup; None when it does not answer."""
    try:
        written = etcd.health().revision - manifest.revision
    except LabError:
        return None
    return written if 0 <= written < REVISION_BUMP else None  # else it was restored in between, and the difference means nothing


def restore_steps(plane: BinaryInstallation, utl: Etcdutl, folder: Path, manifest: Manifest) -> list[Step]:
    """Return the steps: everything ended, data and keys exchanged, then those of an installation, then the members."""
    karmada = plane.karmada
    first = [
        Step("restore/ended", lambda: stop_karmada(karmada)),
        Step("restore/seeded", lambda: seed(plane, utl, folder, manifest), ("restore/ended",)),
    ]
    installing = [
        each_ if each_.needs else replaced(each_, needs=("restore/seeded",))
        for each_ in with_closing_steps(plane.karmada, install_steps(plane))
    ]
    names = {step.name for step in [*first, *installing]}
    installing = [replaced(step, needs=tuple(need for need in step.needs if need in names)) for step in installing]
    modes = {member.name: member.mode for member in karmada.spec.members}
    joined = [Step(f"{member.name}/attached", partial(rejoin, karmada, member, modes[member.name]), (READY,)) for member in karmada.members]
    others = Step("restore/reached", lambda: wait_members_reached(karmada), (READY, *(step.name for step in joined)))
    return [*first, *installing, *joined, others]


def stop_karmada(karmada: Karmada) -> None:
    """Stop all of Karmada's programs and the agents of pull members: their caches hold what the restore undoes."""
    running = read_programs(karmada.run).running
    agents = [agent.agent_name(member.name) for member in karmada.members]
    mine = [name for name in running if name.startswith(f"{karmada.name}/") or name in agents]
    stop_programs(karmada.run, mine, within=GRACE)
