"""Moving to a new site: a control plane restored from a backup in another lab takes over the members of a lost one."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from kubernetes.client import AppsV1Api

from deployers.addons import site
from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.move import move
from deployers.backup.restore import stop_karmada
from deployers.backup.take import back_up
from deployers.checks.conformance import PLANE, conformance
from deployers.karmada import Karmada
from deployers.members.registry import list_members
from deployers.up.bring_up import bring_up
from deployers.wanted import prepare
from lab.errors import UsageError
from scenarios.kit import faults
from scenarios.kit.extra_lab import remove_lab
from scenarios.kit.figures import report_figures
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workloads, duplicate_on, pod_uids

BOTH = ("member1", "member2")


@pytest.mark.thorough
@pytest.mark.breaks
def test_members_follow_a_plane_that_comes_up_elsewhere(
    karmada: Karmada, namespace: str, workload: Workloads, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    web = workload(replicas=2, placement=duplicate_on(*BOTH))
    web.until_ready()
    running = pod_uids(karmada, namespace)
    backup = back_up(karmada, ArchiveFolder(tmp_path))
    elsewhere = f"site-{secrets.token_hex(3)}"
    with pytest.raises(UsageError, match="still runs"):
        move(backup.path, elsewhere)

    stop_karmada(karmada)  # the disaster
    try:
        moved = move(backup.path, elsewhere)
        assert moved.hold
        report_figures(request, rto_seconds=round(moved.seconds, 1), rpo_seconds=round(moved.age, 1))
        there = moved.karmada
        assert there.api.server != karmada.api.server
        assert {name for name, member in list_members(there).items() if member.ready} == set(BOTH)
        assert pod_uids(karmada, namespace) == running, "pods on members do not restart"
        assert site.records_of(there.run, there.name) == backup.manifest.addons, "addons are ours there too"
        conformance(there, among=PLANE).demand()

        AppsV1Api(there.client()).patch_namespaced_deployment("web", namespace, {"spec": {"replicas": 3}})

        def check_followed() -> None:
            """the members follow the control plane at the new site"""
            assert [web.on(member).spec.replicas for member in BOTH] == [3, 3]

        eventually(check_followed, within=60)
        AppsV1Api(there.client()).patch_namespaced_deployment("web", namespace, {"spec": {"replicas": 2}})
        moved.hold.release()
    finally:
        remove_lab(elsewhere)
        asked = karmada.run.asked
        bring_up(
            prepare({**asked["lab"], "karmada": asked["karmada"]}), karmada.run.id, root=karmada.run.path.parent, label="back"
        ).hold.release()
    faults.assert_recovered(karmada)
