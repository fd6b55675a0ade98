"""Virtual machines of libvirt: restored within seconds with their own identity, snapshots, and no leftovers of a killed harness."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import gc, ledger
from lab.errors import CommandFailed, UsageError
from lab.external_names import VIRSH, external_name
from lab.factories.vm.factory import make_machines
from lab.factories.vm.network import read_network
from lab.factories.vm.snapshots import delete_snapshot, list_snapshots, revert_snapshot, take_snapshot
from lab.machines.record import read_machines
from lab.machines.registry import open_machine, ssh_host
from lab.machines.ssh.connection import disconnect
from lab.machines.traffic import clear_netem, cut_off, heal, set_netem
from lab.run import Run
from lab.steps import execute
from lab.wait import NotYet, until
from scenarios.kit.machines import open_run, require_virtual_machines

pytestmark = [pytest.mark.xdist_group("machines"), pytest.mark.thorough]
CREATE = """
import sys
from lab.factories.vm.factory import make_machines
from lab.run import Run
from lab.steps import execute
run = Run.create(sys.argv[1], {"lab": {"provider": "embedded"}})
execute(make_machines(run, ["a", "b"]), run)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Yield a run with two virtual machines, a and b."""
    require_virtual_machines()
    with open_run(tmp_path_factory.mktemp("runs") / f"vms-{secrets.token_hex(2)}") as found:
        execute(make_machines(found, ["a", "b"]), found)
        yield found


def test_two_machines_of_one_saved_state_share_no_identity(run: Run) -> None:
    facts = [
        open_machine(run, name).run(["cat", "/etc/hostname", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout.splitlines()
        for name in ("a", "b")
    ]

    assert [each[0] for each in facts] == ["a", "b"]
    assert all(mine != other for mine, other in zip(*facts, strict=True))
    clock = float(open_machine(run, "a").run(["date", "+%s"]).stdout)
    assert abs(clock - time.time()) < 60


def test_machines_reach_each_other(run: Run) -> None:
    other = read_machines(run)["b"].address

    open_machine(run, "a").run(["ping", "-c", "1", "-W", "5", other])


def test_a_delay_is_measured_and_a_partition_holds_until_it_is_healed(run: Run) -> None:
    a, other = open_machine(run, "a"), read_machines(run)["b"].address
    ping = ["ping", "-c", "2", "-W", "3", other]
    set_netem(a, delay_ms=300)
    delayed = float(a.run(ping).stdout.rsplit(" = ", 1)[1].split("/")[0])
    clear_netem(a)
    cut_off(a, [other], caller=gateway(run))
    with pytest.raises(CommandFailed):
        a.run(ping)
    heal(a)

    assert delayed >= 300
    a.run(ping)


def gateway(run: Run) -> str:
    """Return this computer's address in the network of the machines."""
    network = read_network(run)
    assert network is not None
    return network.gateway


def test_another_host_key_is_refused(run: Run) -> None:
    machine = open_machine(run, "b")
    machine.run(["true"])
    known = Path(read_machines(run)["b"].known_hosts)
    lines = known.read_text()
    disconnect(ssh_host(read_machines(run), "b", run))
    try:
        a, b = (line.split(" ", 1)[1] for line in lines.splitlines())
        known.write_text(lines.replace(b, a))
        with pytest.raises(Exception, match="host key"):
            machine.run(["true"])
    finally:
        known.write_text(lines)
        disconnect(ssh_host(read_machines(run), "b", run))


def test_a_machine_goes_back_to_a_snapshot_and_knows_the_time(run: Run) -> None:
    machine = open_machine(run, "a")
    machine.run(["touch", "/root/before"])
    take_snapshot(run, "a", "one")
    machine.run(["sh", "-c", "rm /root/before; touch /root/after"])
    revert_snapshot(run, "a", "one")

    assert machine.run(["ls", "/root"]).stdout.split() == ["before"]
    assert abs(float(machine.run(["date", "+%s"]).stdout) - time.time()) < 60
    with pytest.raises(UsageError):
        take_snapshot(run, "a", "one")
    with pytest.raises(UsageError):
        revert_snapshot(run, "a", "two")
    delete_snapshot(run, "a", "one")
    assert list_snapshots(run, "a") == []


def test_a_machine_that_was_shut_off_is_started_again(run: Run) -> None:
    subprocess.run([*VIRSH, "destroy", external_name(run.id, "b")], check=True, capture_output=True)
    disconnect(ssh_host(read_machines(run), "b", run))
    execute(make_machines(run, ["a", "b"]), run)

    assert open_machine(run, "b").run(["hostname"]).stdout.strip() == "b"


@pytest.mark.usefixtures("run")  # which has made the saved state
@pytest.mark.parametrize("after", [0.5, 1.5, 2.5])
def test_what_a_killed_harness_leaves_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: float) -> None:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    name = f"killed-{secrets.token_hex(2)}"
    harness = subprocess.Popen([sys.executable, "-c", CREATE, name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def check_network_recorded() -> None:
        if not (tmp_path / name / "run.json").exists() or read_network(Run.load(name, root=tmp_path)) is None:
            raise NotYet("the harness has recorded no network")

    try:
        until(check_network_recorded, what="the harness makes machines", within=30.0, every=0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            harness.wait(after)
    finally:
        harness.send_signal(signal.SIGKILL)
        harness.wait()
    before = ledger.list_leftovers(tmp_path / name)
    gc.remove_run(tmp_path / name)

    assert any("libvirt" in line for line in before)
    assert ledger.list_leftovers(tmp_path / name) == []
