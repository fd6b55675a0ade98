"""Karmada by binary on three machines: it serves from all of them, is cared for while it is used, and one machine is lost and replaced."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.move import move
from deployers.backup.restore import restore, stop_karmada
from deployers.backup.take import back_up
from deployers.by_binary.balancer import find_haproxy
from deployers.by_binary.components import apiservers
from deployers.by_binary.installation import open_plane
from deployers.checks.conformance import PLANE, conformance
from deployers.day2.renew_certificates import renew_all
from deployers.day2.replace_machine import replace_machine
from deployers.day2.upgrade import upgrade
from deployers.etcd.certificates import fetch_certificate
from deployers.etcd.client import EtcdClient
from deployers.etcd.membership import add, remove
from deployers.karmada import Karmada
from deployers.members.registry import list_members
from deployers.up.bring_up import bring_up
from deployers.wanted import prepare
from lab.errors import UsageError
from lab.factories.namespace.factory import machine_folder, program_name
from lab.machines.registry import open_machine, open_owner
from lab.programs import read_programs
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.extra_lab import as_it_is_now, extra_lab, remove_lab
from scenarios.kit.figures import report_figures
from scenarios.kit.machines import require_namespaces
from scenarios.kit.namespaces import make_namespace as made_namespace
from scenarios.kit.traffic import Traffic, traffic

pytestmark = [pytest.mark.xdist_group("machines"), pytest.mark.thorough]
MACHINES = ("machine1", "machine2", "machine3")
DOCUMENT = {
    "machines": {"kind": "namespace", "count": 4},
    "members": [{"name": "member1", "machine": "machine4", "nodes": [{"count": 1}]}],
    "karmada": {"deployer": "by_binary", "release": "1.18.1", "by_binary": {"machines": MACHINES}},
}
NEXT = "1.18.2"
ON_EACH = {
    *("etcd", "karmada-apiserver", "haproxy", "karmada-webhook", "karmada-aggregated-apiserver"),
    *("kube-controller-manager", "karmada-controller-manager", "karmada-scheduler"),
}
LONGEST = 20.0
"""Seconds that a write may take until it is acknowledged while one of three machines is changed or lost, on a busy computer."""


@pytest.fixture(scope="module")
def spread() -> Iterator[Karmada]:
    """Karmada on three machines, and its member on a fourth."""
    require_namespaces()
    if not find_haproxy():
        pytest.skip("unknown: haproxy is not installed, which stands before the API servers (apt-get install haproxy)")
    with extra_lab(DOCUMENT, name="spread") as karmada:
        yield karmada


@pytest.fixture
def now(spread: Karmada) -> Karmada:
    """The control plane as the tests before left it."""
    return as_it_is_now(spread)


@pytest.fixture
def used(now: Karmada, request: pytest.FixtureRequest) -> Iterator[Traffic]:
    """The control plane is written to and read from; afterwards nothing is lost, back again or there twice."""
    with made_namespace(now, f"used-{abs(hash(request.node.name)) % 10**6}") as name:
        with traffic(now, name) as going:
            going.until_written(10)
            yield going
            going.until_written(10)
        report_figures(request, **going.figures())
        going.check()


def test_each_machine_has_every_component_and_karmada_holds_its_promises(now: Karmada) -> None:
    conformance(now).demand()
    for machine in MACHINES:
        programs = open_owner(now.run, machine).programs()
        assert {name.removeprefix("karmada/").rstrip("-23") for name in programs} == ON_EACH
        assert all(state.runs for state in programs.values())
    etcd = EtcdClient.of(now)
    assert len(etcd.until_well().voters) == len({url.rpartition(":")[0] for url in etcd.endpoints.values()}) == 3


def test_keys_on_machines_are_private_and_those_of_authorities_of_etcd_stay_here(now: Karmada) -> None:
    pki = f"/var/lib/karmada-lab/runs/{now.run.id}/pki"
    for machine in (open_machine(now.run, name) for name in MACHINES):
        keys = machine.run(["find", pki, "-name", "*.key"]).stdout.split()
        assert f"{pki}/karmada/karmada-apiserver.key" in keys
        assert f"{pki}/karmada/etcd-ca.key" not in keys
        assert machine.run(["find", pki, "-type", "f", "-perm", "/077"]).stdout == ""


@pytest.mark.breaks
def test_components_are_upgraded_on_one_machine_at_a_time(now: Karmada, used: Traffic, request: pytest.FixtureRequest) -> None:
    upgrade(now, NEXT, only="crds")
    with pytest.raises(UsageError, match="karmada-webhook@machine1"):
        upgrade(as_it_is_now(now), NEXT, only="karmada-webhook@machine2")
    first = upgrade(as_it_is_now(now), NEXT, only="karmada-webhook@machine1")
    assert first.done == ("karmada-webhook@machine1",)
    used.until_written(10)

    done = upgrade(as_it_is_now(now), NEXT)

    report_figures(request, upgrade_seconds=round(done.seconds, 1))
    assert done.done[:2] == ("karmada-webhook@machine2", "karmada-webhook@machine3")
    assert as_it_is_now(now).spec.release == NEXT
    assert used.writes.longest < LONGEST


@pytest.mark.breaks
def test_members_of_etcd_come_and_go(now: Karmada, used: Traffic) -> None:
    changed = remove(now, "etcd-2")
    assert len(EtcdClient.of(changed).until_well().members) == 2
    used.until_written(10)
    changed = add(changed, "etcd-2")

    assert len(EtcdClient.of(changed).until_well().voters) == 3
    assert used.writes.longest < LONGEST


@pytest.mark.breaks
def test_all_certificates_are_renewed(now: Karmada, used: Traffic) -> None:
    layout = open_plane(now).layout
    renewed = renew_all(now, before=None)

    used.until_written(10)
    written = x509.load_pem_x509_certificate((layout.pki / "karmada-apiserver.crt").read_bytes()).serial_number
    shown = {fetch_certificate(layout.server(each), ca=layout.ca).serial_number for each in apiservers(now.spec)}
    assert shown == {written}
    assert {"etcd-peer", "karmada-webhook", "client"} <= renewed.keys()


@pytest.mark.breaks
def test_a_backup_is_restored_to_all_machines(now: Karmada, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    backup = back_up(now, ArchiveFolder(tmp_path))
    with made_namespace(now, "written-later"):
        done = restore(now, backup.path)

    report_figures(request, rto_seconds=round(done.seconds, 1))
    assert now.api.find("/api/v1/namespaces/written-later") is None
    assert len(EtcdClient.of(now).until_well().voters) == 3
    faults.assert_recovered(now)


@pytest.mark.breaks
def test_a_machine_is_lost_with_its_disk_and_replaced(now: Karmada, used: Traffic, request: pytest.FixtureRequest) -> None:
    Supervisor(now.run.path).stop(program_name("machine3"), kill=True)
    shutil.rmtree(machine_folder(now.run, "machine3"))
    used.until_written(20)
    report_figures(request, longest_failed_write_after_the_loss_seconds=used.figures()["longest_failed_write_seconds"])
    assert "machine3" in read_programs(now.run).unreached

    assert f"karmada/{apiservers(now.spec)[2]}" in replace_machine(now, "machine3")

    assert len(EtcdClient.of(now).until_well().voters) == 3
    used.until_written(10)
    conformance(now).demand()
    assert used.writes.longest < LONGEST


@pytest.mark.breaks
def test_a_backup_comes_up_on_other_hosts_and_members_follow(now: Karmada, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    backup, elsewhere = back_up(now, ArchiveFolder(tmp_path)), f"{now.run.id}-site"
    stop_karmada(now)  # the loss of all three machines
    try:
        by_binary = {"machines": MACHINES[:2]}
        table = {"deployer": "by_binary", "release": now.spec.release, "by_binary": by_binary}
        moved = move(backup.path, elsewhere, asked={"machines": {"kind": "namespace", "count": 2}, "members": [], "karmada": table})
        assert moved.hold
        report_figures(request, rto_seconds=round(moved.seconds, 1))
        assert {name for name, member in list_members(moved.karmada).items() if member.ready} == {"member1"}
        conformance(moved.karmada, among=PLANE).demand()
        moved.hold.release()
    finally:
        remove_lab(elsewhere)
        asked = now.run.asked
        bring_up(prepare({**asked["lab"], "karmada": asked["karmada"]}), now.run.id, label="back").hold.release()
    faults.assert_recovered(as_it_is_now(now))
