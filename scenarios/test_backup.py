"""A restore recreates deleted objects, keeps workloads of members running, and leaves later objects without an owner."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes.client import ApiException

from deployers.backup import archive
from deployers.backup.archive import UnusableBackup
from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.restore import restore
from deployers.backup.take import back_up
from deployers.backup.unowned import list_unowned
from deployers.backup.verify import verify
from deployers.etcd.client import EtcdClient
from deployers.karmada import Karmada
from lab.errors import LabError, ProvisionError
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.figures import report_figures
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workload, Workloads, duplicate_on, pod_uids

BOTH = ("member1", "member2")


def list_pids(karmada: Karmada) -> dict[str, int | None]:
    """Return the pid of every program of the lab."""
    status = Supervisor(karmada.run.path).status()
    assert status
    return {name: state.pid for name, state in status.programs.items()}


def wait_deployment(web: Workload, replicas: int | None) -> None:
    """Wait until both members have a Deployment with this number of replicas; None: until it is deleted."""

    def check_replicas() -> None:
        """the members have the replicas that Karmada assigned"""
        for member in BOTH:
            found = web.on(member)
            assert (found.spec.replicas if found else None) == replicas, member

    eventually(check_replicas, within=60)


@pytest.mark.breaks
def test_a_restore_brings_back_what_was_and_leaves_members_running(
    karmada: Karmada, namespace: str, workload: Workloads, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kept, changed, doomed = (workload(name, replicas=2, placement=duplicate_on(*BOTH)) for name in ("kept", "changed", "doomed"))
    for web in (kept, changed, doomed):
        web.until_ready()
    running = pod_uids(karmada, namespace, "app=kept")

    backup = back_up(karmada, ArchiveFolder(tmp_path))
    etcd = EtcdClient.of(karmada)
    assert verify(backup.path, tmp_path / "proof", etcd.utl) == archive.read_manifest(backup.path) == backup.manifest
    assert backup.path.stat().st_mode & 0o777 == 0o600
    assert set(backup.manifest.members) == set(BOTH)

    changed.change({"spec": {"replicas": 3}})
    doomed.delete()
    late = workload("late", replicas=1, placement=duplicate_on(*BOTH))
    late.until_ready()
    wait_deployment(changed, 3)
    wait_deployment(doomed, None)
    late_runs = pod_uids(karmada, namespace, "app=late")

    done = restore(karmada, backup.path)

    report_figures(request, rto_seconds=round(done.seconds, 1), rpo_seconds=round(done.age, 1))
    assert done.lost is not None
    assert done.lost > 0
    for web in (kept, changed, doomed):
        assert web.until_ready() == {"member1": 2, "member2": 2}
    assert pod_uids(karmada, namespace, "app=kept") == running, "pods on members do not restart"

    with pytest.raises(ApiException, match="404"):
        late.template()
    assert pod_uids(karmada, namespace, "app=late") == late_runs, "what Karmada no longer knows runs on"
    orphan = f"deployments {namespace}/late"
    assert {member: [thing for thing in left if namespace in thing] for member, left in list_unowned(karmada, karmada.members).items()} == {
        member: [orphan] for member in BOTH
    }

    again = workload("late", replicas=1, placement=duplicate_on(*BOTH))
    assert again.until_ready() == {"member1": 1, "member2": 1}
    assert pod_uids(karmada, namespace, "app=late") == late_runs, "given to Karmada again it is taken over as it runs"
    assert not any(orphan in left for left in list_unowned(karmada, karmada.members).values())
    faults.assert_recovered(karmada)


@pytest.mark.breaks
def test_an_archive_that_is_no_good_is_refused_before_anything_is_touched(karmada: Karmada, tmp_path: Path) -> None:
    whole = back_up(karmada, ArchiveFolder(tmp_path)).path.read_bytes()
    before = list_pids(karmada)
    bad = {"cut": whole[: len(whole) // 2], "changed": whole[:5000] + b"\0" * 64 + whole[5064:], "foreign": b"#!/bin/sh\n"}

    for name, content in bad.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UnusableBackup):
            restore(karmada, path)
        assert list_pids(karmada) == before, name


@pytest.mark.breaks
def test_a_plane_that_is_down_is_not_backed_up_and_says_so(karmada: Karmada, tmp_path: Path) -> None:
    with faults.kill_program(karmada.run, "karmada/karmada-apiserver"), pytest.raises(LabError) as refused:
        back_up(karmada, ArchiveFolder(tmp_path / "kept"))

    assert "does not answer" in str(refused.value)
    assert refused.value.exit_code == ProvisionError.exit_code
    assert not (tmp_path / "kept").exists()
    faults.restart_ended(karmada)
    faults.assert_recovered(karmada)
