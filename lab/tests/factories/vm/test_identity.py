from __future__ import annotations

import shlex
from ipaddress import IPv4Network

from lab.factories.vm.identity import choose_address, choose_mac, choose_uuid
from lab.tests.vm_fakes import IDENTITY


def test_assignments_are_quoted_and_two_machines_share_no_secret() -> None:
    words = dict(line.split("=", 1) for line in shlex.split(IDENTITY.as_assignments().replace("\n", " ")) if "=" in line)
    again = IDENTITY.as_assignments()

    assert "authorized_key='ssh-ed25519 it'\"'\"'s mine'" in again
    assert words["address"] == "10.220.0.10"
    assert f"machine_id={words['machine_id']}" not in again
    assert f"entropy={words['entropy']}" not in again


def test_addresses_are_distinct_and_macs_derive_from_the_run() -> None:
    network = IPv4Network("10.220.0.0/24")

    assert choose_address(network, set()) == "10.220.0.10"
    assert choose_address(network, {"10.220.0.10"}) == "10.220.0.11"
    assert choose_mac("a", "m1") == choose_mac("a", "m1") != choose_mac("b", "m1")
    assert choose_uuid("a", "m1") != choose_uuid("a", "m2")
