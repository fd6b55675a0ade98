"""Hosts from Ansible's inventories: what is read, what overrides what, and what is refused where."""

from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.inventory.read import read_inventory

INI = """
lonely ansible_host=10.0.0.9

[web]
web[1:2].example.com:2222 ansible_user=web
; a comment

[web:vars]
ansible_user=group
ansible_become=true
role=front end

[db]
db-[a:b] ansible_host=10.0.1.1 ansible_ssh_private_key_file="keys/my key"  # the primary

[all:vars]
ansible_user=everybody

[site:children]
web
db
"""
YAML = """
all:
  vars: {ansible_user: everybody}
  hosts:
    lonely: {ansible_host: 10.0.0.9}
  children:
    site:
      children:
        web:
          hosts:
            web[1:2].example.com: {ansible_port: 2222, ansible_user: web}
          vars: {ansible_user: group, ansible_become: yes, secret: !vault abc}
        db:
          hosts:
            db-[a:b]: {ansible_host: 10.0.1.1, ansible_ssh_private_key_file: keys/my key}
"""
JSON = """{
  "_meta": {"hostvars": {
    "lonely": {"ansible_host": "10.0.0.9"},
    "web1.example.com": {"ansible_port": 2222, "ansible_user": "web"}, "web2.example.com": {"ansible_port": "2222", "ansible_user": "web"},
    "db-a": {"ansible_host": "10.0.1.1", "ansible_ssh_private_key_file": "keys/my key"},
    "db-b": {"ansible_host": "10.0.1.1", "ansible_ssh_private_key_file": "keys/my key"}}},
  "all": {"vars": {"ansible_user": "everybody"}, "children": ["site", "ungrouped"]},
  "site": {"children": ["web", "db"]},
  "ungrouped": ["lonely"],
  "web": {"hosts": ["web1.example.com", "web2.example.com"], "vars": {"ansible_user": "group", "ansible_become": true}},
  "db": {"hosts": ["db-a", "db-b"]}
}"""


def rows(tmp_path: Path, text: str, name: str = "hosts") -> dict[str, dict[str, Any]]:
    (tmp_path / name).write_text(text)
    return {row["name"]: row for row in read_inventory(tmp_path / name)}


def error(tmp_path: Path, text: str, name: str = "hosts") -> UsageError:
    with pytest.raises(UsageError) as caught:
        rows(tmp_path, text, name)
    return caught.value


@pytest.mark.parametrize(("name", "text"), [("hosts", INI), ("hosts.ini", INI), ("hosts.yaml", YAML), ("hosts.json", JSON)])
def test_the_three_forms_of_ansible_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    assert rows(tmp_path, text, name) == {
        "lonely": {"name": "lonely", "address": "10.0.0.9", "user": "everybody"},
        **{
            f"web{number}-example-com": {
                "name": f"web{number}-example-com",
                "address": f"web{number}.example.com",
                "user": "web",
                "port": 2222,
                "sudo": True,
            }
            for number in (1, 2)
        },
        **{
            f"db-{letter}": {"name": f"db-{letter}", "address": "10.0.1.1", "user": "everybody", "key": str(tmp_path / "keys/my key")}
            for letter in "ab"
        },
    }


def test_an_inner_group_overrides_an_outer_one_and_a_priority_orders_the_rest(tmp_path: Path) -> None:
    text = "[a]\nhost\n[b]\nhost\n[a:vars]\nansible_user=a\n[b:vars]\nansible_user=b\n[around:children]\n"

    assert rows(tmp_path, f"{text}a\n")["host"]["user"] == "a"  # around is outside a, so a is deeper than b
    assert rows(tmp_path, f"{text}b\n")["host"]["user"] == "b"
    flat = "[a]\nhost\n[b]\nhost\n[a:vars]\nansible_user=a\n[b:vars]\nansible_user=b\n"
    assert rows(tmp_path, flat)["host"]["user"] == "b"
    assert rows(tmp_path, flat.replace("ansible_user=a", "ansible_user=a\nansible_group_priority=9"))["host"]["user"] == "a"


def test_group_vars_and_host_vars_beside_it_override_it(tmp_path: Path) -> None:
    (tmp_path / "group_vars" / "web").mkdir(parents=True)
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("ansible_user: all\nansible_port: 10\n")
    (tmp_path / "group_vars" / "web" / "main.yaml").write_text("ansible_user: web\n")
    (tmp_path / "group_vars" / "web" / "vault.yaml").write_bytes(b"$ANSIBLE_VAULT;1.1;AES256\n3132\n")
    (tmp_path / "host_vars" / "b.json").write_text('{"ansible_user": "b"}')
    found = rows(tmp_path, "[web]\na\nb ansible_user=line\n[web:vars]\nansible_user=ini\n")

    assert (found["a"]["user"], found["a"]["port"], found["b"]["user"]) == ("web", 10, "b")


def test_arguments_of_ssh_give_the_jump_host_and_the_known_hosts(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        "gate.example.com ansible_host=192.0.2.1\n"
        "inner ansible_ssh_common_args='-C -o ProxyJump=me@192.0.2.1:22 -o UserKnownHostsFile=known -o ServerAliveInterval=5'\n",
    )

    assert (found["inner"]["jump"], found["inner"]["known_hosts"]) == ("gate-example-com", str(tmp_path / "known"))


@pytest.mark.parametrize(
    ("line", "noun"),
    [
        ("a ansible_port=ssh", "port"),
        ("a ansible_port=0", "port"),
        ("a ansible_become=perhaps", "ansible_become"),
        ("a ansible_host='{{ where }}'", "template"),
        ("a ansible_connection=local", "ansible_connection"),
        ("a ansible_become_method=doas", "ansible_become_method"),
        ("a ansible_password=secret", "ansible_password"),
        ("a ansible_become_pass=secret", "ansible_become_pass"),
        ("a ansible_ssh_common_args='-o StrictHostKeyChecking=no'", "StrictHostKeyChecking"),
        ("a ansible_ssh_common_args='-o UserKnownHostsFile=/dev/null'", "UserKnownHostsFile"),
        ("a ansible_ssh_common_args='-o ProxyCommand=nc'", "ProxyCommand"),
        ("a ansible_ssh_common_args='-J'", "-J"),
        ("a novalue", "novalue"),
        ("a[3:1]", "range"),
        ("a[1:", "bracket"),
        ("a 'unclosed", "quotation"),
        ("[g:sons]", "sons"),
        ("[g:vars]\nx=1", "group"),
        ("[g:children]\nnone", "none"),
        ("[g:vars]\nnothing", "nothing"),
    ],
)
def test_a_line_that_is_wrong_is_named_with_its_number(tmp_path: Path, line: str, noun: str) -> None:
    refused = error(tmp_path, f"fine\n\n{line}\n")

    assert noun in refused.what
    assert "secret" not in str(refused)
    assert refused.where in {f"{tmp_path / 'hosts'}:{number}" for number in (3, 4)}


def test_all_faults_of_all_hosts_are_in_one_error(tmp_path: Path) -> None:
    refused = error(tmp_path, "a ansible_port=x ansible_become=maybe\nb ansible_connection=local\nc karmada_lab_jump=nowhere\n")

    assert refused.detail is not None
    assert len(refused.detail.splitlines()) == 4


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("h.yaml", "all:\n  hosts:\n    a: [1]\n", ":3"),
        ("h.yaml", "all:\n  host:\n    a:\n", ":2"),
        ("h.yaml", "all:\n  hosts: {a: {ansible_host: !vault x}}\n", ":2"),
        ("h.yaml", "all: [\n", ":2"),
        ("h.yaml", "- a\n", ":1"),
        ("h.yaml", "a: &a\n  children: {b: *a}\n", ":1"),
        ("h.yaml", "a: {children: {b: }}\nb: {children: {a: }}\nc: {hosts: {h: }}\n", ":1"),
        ("h.yaml", "? [1]\n: x\n", ":1"),
        ("h.json", '{"web": {"hosts": "a"}}', ": web.hosts"),
        ("h.json", '{"web": 3}', ": web"),
        ("h.json", "{", ""),
        ("h.json", "[]", ""),
        ("h.toml", "[[hosts]]\nname = 'a'\n", ""),
        ("h.toml", "hosts = 1\n", ""),
        ("h.toml", "[[machines]]\n", ""),
        ("h.toml", "= 1\n", ""),
        ("hosts", "", ""),
    ],
)
def test_a_document_that_is_wrong_is_named_with_its_place(tmp_path: Path, name: str, text: str, where: str) -> None:
    assert str(error(tmp_path, text, name).where).endswith(f"{name}{where}")


def test_two_hosts_of_one_machine_name_are_refused(tmp_path: Path) -> None:
    assert "web-1" in error(tmp_path, "web.1\nweb-1\n").what


def test_an_ipv6_address_is_a_host_in_every_form(tmp_path: Path) -> None:
    assert rows(tmp_path, "[::1]:2222\n2001:db8::2\n") == {
        "1": {**rows(tmp_path, "[::1]:2222\n")["1"], "address": "::1", "port": 2222},
        "2001-db8-2": {**rows(tmp_path, "2001:db8::2\n")["2001-db8-2"], "address": "2001:db8::2"},
    }
    assert next(iter(rows(tmp_path, "all: {hosts: {'2001:db8::2': }}", "h.yaml").values()))["address"] == "2001:db8::2"
