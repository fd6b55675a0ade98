"""Templates of virtual machines, with values that have special characters."""

from __future__ import annotations

import yaml

from lab.factories.vm.render import render_seed, render_xml
from lab.tests.vm_fakes import IDENTITY, KEY


def test_the_seed_is_yaml_with_the_host_key_whole() -> None:
    values = {**IDENTITY.__dict__, "hostname": "m1", "host_key": KEY.strip(), "instance": "m1"}
    user = yaml.safe_load(render_seed("user-data.yaml.j2", **values))

    assert user["ssh_keys"]["ed25519_private"].strip() == KEY.strip()
    assert user["ssh_authorized_keys"] == [IDENTITY.authorized_key]
    assert yaml.safe_load(render_seed("network-config.yaml.j2", **values))["ethernets"]["eth0"]["addresses"] == ["10.220.0.10/24"]


def test_values_in_xml_are_text() -> None:
    assert "<name>a&lt;b&quot;</name>" in render_xml("snapshot", name='a<b"')
