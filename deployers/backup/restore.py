"""A control plane from a backup: `restore` is an installation whose etcd and keys come from an archive.

    in place     the plane of this lab, which may be broken, is set back to the backup
    elsewhere    a lab of another name gets the plane: another etcd, other addresses, the same authority. The old one must not run any more.

Everything of Karmada is ended first, etcd too: controllers keep what they have seen by resourceVersion, and after a restore those would
count again from where they were. So etcd's revision is moved far ahead and all before is called compacted
(etcdutl: --bump-revision, --mark-compacted): who still watches is told to list anew. Then the ordinary installation runs, which
puts right whatever names an address: webhooks, conversion, aggregated APIs, cluster-info.

What became of objects meanwhile, decided here and asserted by scenarios/test_restore.py:

    made after the backup      stays on its members, running and untouched: nothing of Karmada owns it any more. `left_over` lists it.
                               Given to Karmada again under its name it is taken over as it is; to be rid of it, delete it on the member.
    changed after the backup   is set back to what it was, on members too
    deleted after the backup   is there again, on members too
    addons of others           are on Karmada in the version that they had then, and ours; on members as they are now. `lab addon upgrade`
                               brings them together.
    members                    run on; those that were registered are reached again with the credentials in the backup
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from functools import partial
from pathlib import Path

from deployers.addons import site
from deployers.backup.archive import KEYS, SNAPSHOT, Manifest, UnusableBackup
from deployers.backup.take import scratch_directory
from deployers.backup.verify import fingerprint, verify
from deployers.bring_up import with_closing_steps
from deployers.by_binary.installation import STOPPED_LAST, BinaryInstallation, install_steps, open_plane
from deployers.checks import description
from deployers.etcd.client import EtcdClient, Etcdutl
from deployers.karmada import Karmada
from deployers.members import agent
from deployers.members.join import join
from deployers.members.leftovers import MANAGED
from deployers.members.register import register
from deployers.members.registry import CLUSTERS, Member, list_members, wait_member_ready
from deployers.names import LOOPBACK, READY, kind_of
from deployers.plane import pending_operation
from deployers.plane.layout import etcds
from deployers.plane.objects import each
from deployers.release import Release
from lab.api import Refused, Unreachable
from lab.assets import AssetRef
from lab.assets.refs import version_key
from lab.cluster import Cluster
from lab.component import Health, HealthProbe
from lab.errors import LabError, UsageError
from lab.evidence import list_listable
from lab.hints import command
from lab.run import write_private
from lab.steps import Step, StepObserver, execute
from lab.supervisor.client import Hold, Supervisor
from lab.wait import NotYet, until

WHAT = "a restore"
BUMP = 1_000_000_000
"""How far etcd's revision is moved ahead: more than anybody writes between a backup and its restore (as Kubernetes' own advice has it)."""
GRACE = 1.0
WORKS = "/apis/work.karmada.io/v1alpha1/namespaces"


@dataclass(frozen=True)
class RestoreResult:
    """What a restore did.

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
    """Of a lab that was made for it: released by whoever asked."""


def restore(karmada: Karmada, path: Path, *, watcher: StepObserver | None = None) -> RestoreResult:
    """Set a control plane back to a backup, and return when it serves and reaches every member that it knows.

    Unusable or UsageError, with nothing touched: the archive is damaged, another plane's, or of other versions. What was in etcd before is
    kept until the restored plane serves; after a failure it is in `data/karmada/*.before`, and the same command goes on.
    """
    plane, etcd = open_plane(karmada), EtcdClient.of(karmada)
    with scratch_directory(karmada.run) as folder:
        manifest = verify(path, folder, etcd.utl)
        require_versions(manifest, karmada.release, karmada.spec.kubernetes, path)
        require_same_plane(manifest, karmada, path)
        discard_other_operation(karmada)
        age, lost = time.time() - manifest.taken, count_revisions_since(etcd, manifest)
        began = time.monotonic()
        again = command("restore", str(path), lab=karmada.run.id)
        with pending_operation.hold_pending(karmada.run, WHAT, again=again, path=str(path), revision=manifest.revision):
            execute(restore_steps(plane, etcd.utl, folder, manifest), karmada.run, watcher=watcher)
        seconds = time.monotonic() - began
    delete_former_data(plane)
    description.save(karmada)
    known = tuple(list_members(karmada))
    karmada.run.journal("restored", path=str(path), seconds=round(seconds, 3), age=round(age, 3), lost=lost)
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
    return written if 0 <= written < BUMP else None  # else it was restored in between: nobody can count those


# -- whether -------------------------------------------------------------------------------------------------------------


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
    if here.is_file() and fingerprint(here) != manifest.plane:
        raise UnusableBackup(
            f"this backup is of another control plane: that of lab {manifest.lab}",
            where=f"{path}: authority {manifest.plane[:8]}; here: {fingerprint(here)[:8]}",
            remedy=f"a plane moves to a lab that is not there yet: {command('restore', str(path), '--lab', 'NEW')}",
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


# -- how -----------------------------------------------------------------------------------------------------------------


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
    """End all of Karmada's programs, those of pull members' agents too: nobody is to remember what will not have happened."""
    supervisor = Supervisor(karmada.run.path)
    status = supervisor.status()
    running = [name for name, state in (status.programs if status else {}).items() if state.runs]
    agents = [agent.agent_name(member.name) for member in karmada.members]
    mine = [name for name in running if name.startswith(f"{karmada.name}/") or name in agents]
    last = [name for name in mine if kind_of(name) in STOPPED_LAST]
    stop: Callable[[str], None] = partial(supervisor.stop, within=GRACE)
    each(stop, [name for name in mine if name not in last])
    for name in sorted(last, key=lambda name: STOPPED_LAST.index(kind_of(name))):
        stop(name)


def seed(plane: BinaryInstallation, utl: Etcdutl, folder: Path, manifest: Manifest) -> None:
    """Put the backup's keys and data where the plane has them. What was there is beside it, as `<member>.before`, until all is well."""
    run, data = plane.run, plane.layout.data
    names = etcds(plane.spec)
    peers = {name: f"https://{LOOPBACK}:{plane.layout.ports[f'{name}.peer']}" for name in names}
    run.folder("data", plane.karmada.name)
    for name in names:
        shutil.rmtree(data / f"{name}.restored", ignore_errors=True)
        utl(
            *("snapshot", "restore", str(folder / SNAPSHOT), f"--name={name}", f"--data-dir={data / f'{name}.restored'}"),
            *(f"--initial-cluster={','.join(f'{each_}={peers[each_]}' for each_ in names)}", "--initial-cluster-token=karmada"),
            *(f"--initial-advertise-peer-urls={peers[name]}", f"--bump-revision={BUMP}", "--mark-compacted"),
        )
    for name in names:
        here, former = data / name, data / f"{name}.before"
        if here.exists() and not former.exists():  # an interrupted restore has put the real one aside already
            here.rename(former)
        shutil.rmtree(here, ignore_errors=True)
        (data / f"{name}.restored").rename(here)
        run.forget("etcd", name)  # all of them begin together again
    pki = run.folder("pki", plane.karmada.name)
    for name in KEYS:
        if not (pki / name).exists():
            write_private(pki / name, (folder / "pki" / name).read_bytes(), mode=0o600 if name.endswith(".key") else 0o644)
    run.forget(plane.karmada.name, "crds")  # which were applied to what was there before
    if manifest.addons is not None:
        site.restore_records(run, plane.karmada.name, manifest.addons)
    run.journal("seeded", revision=manifest.revision, members=list(names))


def delete_former_data(plane: BinaryInstallation) -> None:
    """Delete what etcd had before."""
    for former in plane.layout.data.glob("*.before"):
        shutil.rmtree(former, ignore_errors=True)


def rejoin(karmada: Karmada, member: Cluster, mode: str) -> None:
    """Have a member of this lab be a member again: one that the backup knows is waited for, one that joined later joins anew."""
    if mode == "pull":
        register(karmada, member)
    else:
        join(karmada, member)


def wait_members_reached(karmada: Karmada) -> list[str]:
    """Return when Karmada, with the credentials it has, comes through to each push member it knows and finds the cluster it knows there."""
    known = [member for member in list_members(karmada).values() if member.mode == "push"]
    return each(lambda member: wait_reached(karmada, member), known)


def wait_reached(karmada: Karmada, member: Member, *, within: float = 60.0) -> str:
    """Return a member's name once it answers through Karmada and is who it was. NotReady says what is seen instead."""
    wait_member_ready(karmada, member.name, within=within)

    def through() -> None:
        try:
            found = karmada.api.get(f"{CLUSTERS}/{member.name}/proxy/api/v1/namespaces/kube-system")["metadata"]["uid"]
        except (Refused, Unreachable) as error:
            raise NotYet(error.what) from error
        if found != member.id:
            raise NotYet(f"another cluster answers at {member.endpoint} ({found})")

    until(through, what=f"{member.name} answers through Karmada", within=within, remedy=f"does it answer at {member.endpoint}?")
    return member.name


# -- what is left --------------------------------------------------------------------------------------------------------


def list_unowned(karmada: Karmada, clusters: Sequence[Cluster]) -> dict[str, list[str]]:
    """Return what Karmada once brought to these members and owns no more, as kind and name, by member.

    Every object there that bears Karmada's label and names a Work that is not there.
    """

    def strangers(member: Cluster) -> list[str]:
        works = {item["metadata"]["name"] for item in karmada.api.items(f"{WORKS}/karmada-es-{member.name}/works")}
        found = []
        for _, root, resource in list_listable(member.api):
            for item in member.api.items(f"{root}/{resource}", labelSelector=MANAGED):
                metadata = item["metadata"]
                if metadata.get("annotations", {}).get("work.karmada.io/name") not in works and not metadata.get("ownerReferences"):
                    found.append(f"{resource} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}")
        return sorted(found)

    return {member.name: strangers(member) for member in clusters}
