"""The hosts of a lab file from an inventory of any form."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.inventory import read
from lab.inventory.read import fill_hosts, read_inventory
from lab.preflight import check_fields
from lab.rules import RULES
from lab.spec import LabSpec, parse

HOSTS: list[dict[str, Any]] = [
    {"name": "a", "address": "10.0.0.1", "key": "k/a"},
    {"name": "b", "address": "b.example", "port": 2200, "jump": "a"},
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("h.json", json.dumps(HOSTS)),
        ("h.json", json.dumps({"hosts": HOSTS})),
        ("h.toml", "[[hosts]]\nname='a'\naddress='10.0.0.1'\nkey='k/a'\n[[hosts]]\nname='b'\naddress='b.example'\nport=2200\njump='a'\n"),
    ],
)
def test_a_list_of_the_labs_own_is_taken_as_it_is_with_paths_from_its_folder(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    assert read_inventory(tmp_path / name) == [{**HOSTS[0], "key": str(tmp_path / "k/a")}, HOSTS[1]]
    table = fill_hosts({"inventory": name}, tmp_path)
    assert [host.name for host in parse(LabSpec, {"members": [], "machines": table}, source="x").machines.hosts] == ["a", "b"]  # type: ignore[union-attr]


def test_every_fault_of_a_list_is_named_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps([{"name": "A!", "address": "x"}, {"name": "b", "adress": "x", "port": 0}]))
    with pytest.raises(UsageError) as caught:
        read_inventory(tmp_path / "h.json")

    assert all(key in str(caught.value.detail) for key in ("hosts[0].name", "hosts[1].adress", "hosts[1].port", "hosts[1].address"))


def test_a_command_gives_the_hosts_and_its_folder_is_that_of_the_lab_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[list[str], Path]] = []

    def answer(argv: list[str], folder: Path) -> bytes:
        ran.append((argv, folder))
        return json.dumps({"all": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": {"ansible_user": "u"}}}}).encode()

    monkeypatch.setattr(read, "run_inventory_command", answer)
    table = fill_hosts({"kind": "ssh", "inventory_command": ["./list.py", "--list"]}, tmp_path)

    assert table == {"kind": "ssh", "hosts": [{"name": "a", "address": "a", "user": "u"}]}
    assert ran == [(["./list.py", "--list"], tmp_path)]


@pytest.mark.parametrize(
    "table", [3, {}, {"count": 3}, {"inventory": "x", "hosts": [{}]}, {"inventory": "x", "inventory_command": ["y"]}, {"inventory": 3}]
)
def test_a_table_that_is_wrong_or_has_no_inventory_is_left_to_validation(tmp_path: Path, table: Any) -> None:
    assert fill_hosts(table, tmp_path) == table


def test_files_of_hosts_in_a_lab_file_begin_at_its_folder_as_those_of_an_inventory(tmp_path: Path) -> None:
    host = {"name": "a", "address": "x", "key": "k/a", "known_hosts": "/kh", "sudo_password_file": "p", "folder": "there"}

    table = fill_hosts({"hosts": [host, 3]}, tmp_path)

    assert table == {"hosts": [{**host, "key": str(tmp_path / "k/a"), "sudo_password_file": str(tmp_path / "p")}, 3]}


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hosts")

    with pytest.raises(UsageError, match="named pipe"):
        read_inventory(tmp_path / "hosts")


def test_json_with_a_byte_order_mark_needs_no_suffix(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text('\ufeff{"all": {"hosts": ["a"]}}')

    assert [row["name"] for row in read_inventory(tmp_path / "hosts")] == ["a"]


@pytest.mark.parametrize(
    ("text", "noun"),
    [("a ansible_port=²\n", "ansible_port"), ("a:²\n", "colon"), ("[g]\na\n[g:vars]\nansible_group_priority=1e400\n", "group_priority")],
)
def test_numbers_that_python_does_not_convert_are_faults(tmp_path: Path, text: str, noun: str) -> None:
    (tmp_path / "hosts").write_text(text)

    with pytest.raises(UsageError, match=noun) as caught:
        read_inventory(tmp_path / "hosts")
    assert str(caught.value.where).startswith(f"{tmp_path / 'hosts'}:")


def test_an_inventory_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "list.py"
    path.write_text("#!/bin/sh\necho no\n")
    path.chmod(0o755)
    with pytest.raises(UsageError) as caught:
        read_inventory(path)

    assert "inventory_command" in str(caught.value.remedy)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_inventory(tmp_path / name)

    assert caught.value.where == str(tmp_path / name)
    assert os.strerror(2) in caught.value.what or os.strerror(21) in caught.value.what


def test_the_rules_of_machines_hold_for_hosts_of_an_inventory(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("web1 ansible_host=10.0.0.1\n")
    table = fill_hosts({"inventory": "hosts"}, tmp_path)
    spec = parse(LabSpec, {"host": {"machine": "web2"}, "members": [], "machines": table}, source="x")

    assert [problem.path for problem in check_fields(spec, RULES)] == ["host.machine"]
