from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.errors import NotPossible
from lab.host_checks import check_host, list_refusals
from lab.kubeadm.facts import HostFacts
from lab.machines.scripted import Scripted

GOOD = HostFacts(
    user=1000,
    arch="amd64",
    systemd=False,
    container=False,
    bounded=False,
    memory=4000,
    free=9000,
    writable=True,
    skew=0.5,
    owner={},
    foreign=(),
    missing=(),
    ports=frozenset({22}),
)
FOLDER = "/var/lib/karmada-lab"


@pytest.mark.parametrize(
    ("changes", "noun"),
    [
        ({}, ""),
        ({"arch": "riscv64"}, "riscv64"),
        ({"writable": False}, FOLDER),
        ({"free": 10}, "10 MiB"),
        ({"skew": -3600.0}, "-3600 s"),
        ({"ports": frozenset({22, 12345})}, "port 12345"),
    ],
)
def test_each_reason_is_named_with_its_remedy(changes: dict[str, Any], noun: str) -> None:
    found = list_refusals(replace(GOOD, **changes), FOLDER, {12345, 12346}, arch="amd64")

    assert len(found) == bool(noun)
    for why in found:
        assert noun in why.partition(": ")[0]
        assert why.partition(": ")[2]


def test_the_first_reason_is_the_error_and_the_others_its_detail() -> None:
    with pytest.raises(NotPossible, match="processor") as caught:
        check_host(Scripted({("sh", "-s", "--", FOLDER): "arch=sparc\nclock=0\n"}, name="a"), FOLDER, set())

    assert caught.value.where == "a"
    assert "clock" in str(caught.value.detail)
