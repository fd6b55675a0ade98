from __future__ import annotations

import shlex
from ipaddress import IPv4Network

import yaml

from lab.factories.vm.identity import Identity, choose_address, choose_mac, choose_uuid
from lab.factories.vm.render import render_seed, render_xml

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\nBBBB\n-----END OPENSSH PRIVATE KEY-----\n"
IDENTITY = Identity("m1", "10.220.0.10", 24, "10.220.0.1", "52:54:00:01:02:03", KEY, "ssh-ed25519 AAAA", "ssh-ed25519 it's mine")


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


def test_the_seed_is_yaml_with_the_host_key_whole() -> None:
    values = {**IDENTITY.__dict__, "hostname": "m1", "host_key": KEY.strip(), "instance": "m1"}
    user = yaml.safe_load(render_seed("user-data.yaml.j2", **values))

    assert user["ssh_keys"]["ed25519_private"].strip() == KEY.strip()
    assert user["ssh_authorized_keys"] == [IDENTITY.authorized_key]
    assert yaml.safe_load(render_seed("network-config.yaml.j2", **values))["ethernets"]["eth0"]["addresses"] == ["10.220.0.10/24"]


def test_values_in_xml_are_text() -> None:
    assert "<name>a&lt;b&quot;</name>" in render_xml("snapshot", name='a<b"')
