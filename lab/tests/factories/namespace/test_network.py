from __future__ import annotations

from pathlib import Path

from lab.factories.namespace.network import MachineNetwork, read_network
from lab.run import Run


def test_addresses_of_machines_follow_that_of_this_computer() -> None:
    network = MachineNetwork("10.200.7.0/24", "karmada-lab.blue.switch", "kl-1")

    assert (network.gateway, network.prefix, network.address(0), network.address(199)) == ("10.200.7.1", 24, "10.200.7.10", "10.200.7.209")


def test_a_run_without_machines_has_no_network(tmp_path: Path) -> None:
    assert read_network(Run.create("blue", {}, root=tmp_path)) is None
