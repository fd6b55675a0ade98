from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.inventory.read import fill_hosts, read_inventory

INI = """
gate
inner ansible_ssh_common_args="-J gate"
far ansible_ssh_common_args="-J gate,inner"
wrong ansible_ssh_common_args="-J inner,gate"
bad ansible_password=secret

[web]
far
[db]
gate
[site:children]
web
[none]
"""


def rows(tmp_path: Path, group: str) -> dict[str, dict[str, Any]]:
    (tmp_path / "hosts").write_text(INI)
    return {row["name"]: row for row in read_inventory(tmp_path / "hosts", group)}


@pytest.mark.parametrize("group", ["web", "site"])
def test_a_group_is_its_hosts_and_those_that_they_are_reached_through(tmp_path: Path, group: str) -> None:
    found = rows(tmp_path, group)

    assert list(found) == ["gate", "inner", "far"]
    assert {name: row.get("jump") for name, row in found.items()} == {"gate": None, "inner": "gate", "far": "inner"}
    assert [name for name, row in found.items() if row.get("jump_only")] == ["gate", "inner"]


def test_a_group_that_needs_no_jump_host_has_none(tmp_path: Path) -> None:
    assert list(rows(tmp_path, "db")) == ["gate"]


@pytest.mark.parametrize(("group", "noun"), [("wbe", "wbe"), ("none", "none"), ("all", "2 faults")])
def test_a_group_that_cannot_be_used_is_refused(tmp_path: Path, group: str, noun: str) -> None:
    with pytest.raises(UsageError, match=noun) as caught:
        rows(tmp_path, group)
    assert caught.value.remedy


def test_a_chain_that_the_inventory_does_not_give_the_last_host_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("a\nb\nc ansible_ssh_common_args='-J a,b'\n")
    with pytest.raises(UsageError, match="reached through") as caught:
        read_inventory(tmp_path / "hosts")

    assert "b alone" in str(caught.value.remedy)


def test_a_list_of_the_labs_own_has_no_groups(tmp_path: Path) -> None:
    (tmp_path / "hosts.json").write_text('[{"name": "a", "address": "10.0.0.1"}]')
    with pytest.raises(UsageError, match="group"):
        fill_hosts({"inventory": "hosts.json", "group": "web"}, tmp_path)
