"""Hosts of an Ansible inventory as `[[machines.hosts]]` of a lab file has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.errors import UsageError
from lab.inventory.ansible_yaml import OtherTag
from lab.inventory.errors import BY_ANSIBLE, make_error, raise_all
from lab.inventory.groups import Assignment, Inventory, Variables
from lab.inventory.jumps import add_jump_hosts
from lab.inventory.ssh_arguments import parse_ssh_arguments
from lab.limits.account import user_name
from lab.named_files import resolve_file

Row = dict[str, Any]
NAMES: Mapping[str, tuple[str, ...]] = {
    "address": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
    "key": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    "sudo": ("ansible_become",),
    "jump": ("karmada_lab_jump",),
    "known_hosts": ("karmada_lab_known_hosts",),
    "sudo_password_file": ("karmada_lab_sudo_password_file",),
    "folder": ("karmada_lab_folder",),
}
"""The variables of each key; the first that is set counts. The last four are this project's own: Ansible has none for them."""
FILES = ("key", "known_hosts", "sudo_password_file")
ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
ONLY: Mapping[str, tuple[tuple[str, ...], str]] = {
    "ansible_connection": (("ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh", "ansible.builtin.paramiko_ssh"), "use ssh"),
    "ansible_become_method": (("sudo", "ansible.builtin.sudo"), "use sudo"),
    "ansible_become_user": (("root",), "programs of a lab run as the login user or as root"),
}
"""Variables that have one meaning here, their values, and the remedy for another one."""
PASSWORDS: Mapping[str, str] = {
    **dict.fromkeys(("ansible_password", "ansible_ssh_pass"), "use a key: ansible_ssh_private_key_file"),
    **dict.fromkeys(
        ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
        "write it into a file (0600) and name that: karmada_lab_sudo_password_file",
    ),
}
TRUE, FALSE = {"yes", "true", "1", "on", "y", "t"}, {"no", "false", "0", "off", "n", "f", ""}


def make_rows(inventory: Inventory, folder: Path, source: str, group: str = "") -> list[Row]:
    """Return one row for each host of a group, of all without one, in the order of the inventory. UsageError lists every fault.

    A machine's name is the host's with other characters than letters, digits and '-' replaced by '-'; its user is this one unless the
    inventory says which, as in Ansible and ssh. Relative paths are relative to `folder`. Hosts outside the group that its hosts are
    reached through are `jump_only`.
    """
    made = {host: make_row(host, make_name(host), variables, folder) for host, variables in inventory.resolve().items()}
    rows = {host: row for host, (row, _) in made.items()}
    wanted = inventory.select_hosts(group, source) if group else list(rows)
    jumps, errors = add_jump_hosts(wanted, rows, source)
    names: dict[str, str] = {}
    for host in [host for host in rows if host in jumps]:
        name = make_name(host)
        if name in names.values():
            errors.append(make_error(f"two hosts would be machine {name!r}: {host} is the second", source, "rename one"))
        names[host] = name
        errors += made[host][1]
    for host in names:
        rows[host].pop("jump", None)
        rows[host] |= {"jump": names[jump]} if (jump := jumps[host]) else {}
        rows[host] |= {} if host in wanted else {"jump_only": True}
    if not names:
        errors.append(make_error("it has no hosts", source))
    raise_all(errors, source)
    return [rows[host] for host in names]


def make_name(host: str) -> str:
    """Return the name of a host's machine: web1.example.com is web1-example-com."""
    return re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")[:48].rstrip("-") or "host"


def make_row(host: str, name: str, variables: Variables, folder: Path) -> tuple[Row, list[UsageError]]:
    """Return the row of a host and what is wrong with its variables."""
    row: Row = {"name": name, "address": host, "user": user_name() or "root"}
    errors = list(list_refused(host, variables))
    given: list[tuple[str, Assignment, str]] = []
    for variable in ARGUMENTS:
        if setting := variables.get(variable):
            try:
                parsed = parse_ssh_arguments(str(read_text(setting, variable)))
            except UsageError as error:
                errors.append(error)
            except ValueError as error:
                errors.append(make_error(f"{variable} of {host}: {error}", setting.where))
            else:
                given += [(key, Assignment(value, setting.where), variable) for key, value in parsed.items()]
    for key, known in NAMES.items():
        given += [(key, variables[variable], variable) for variable in known if variable in variables][:1]
    for key, setting, variable in given:
        try:
            row[key] = read_key(key, setting, variable, folder)
        except UsageError as error:
            errors.append(error)
    return row, errors


def list_refused(host: str, variables: Variables) -> Iterator[UsageError]:
    """Yield an error for each variable that asks for what labs do not do."""
    for variable, (allowed, remedy) in ONLY.items():
        if (setting := variables.get(variable)) and setting.value not in allowed:
            yield make_error(f"{host} has {variable} {setting.value!r}, which is not possible here", setting.where, remedy)
    for variable, remedy in PASSWORDS.items():
        if setting := variables.get(variable):
            yield make_error(f"{host} has a password in the inventory ({variable})", setting.where, remedy)


def read_key(key: str, setting: Assignment, variable: str, folder: Path) -> Any:
    """Return a variable's value as a row has it. UsageError when it is of another kind."""
    value = read_text(setting, variable)
    if key == "port":
        if not str(value).isdecimal() or not 1 <= int(value) <= 65_535:
            raise make_error(f"{variable} should be a port, 1 to 65535 (given: {value!r})", setting.where)
        return int(value)
    if key == "sudo":
        text = str(value).lower()
        if text not in TRUE | FALSE:
            raise make_error(f"{variable} should be true or false (given: {value!r})", setting.where)
        return text in TRUE
    return resolve_file(str(value), folder) if key in FILES else str(value)


def read_text(setting: Assignment, variable: str) -> Any:
    """Return a plain value. UsageError for one that only Ansible can evaluate, and for lists and mappings."""
    value = setting.value
    if isinstance(value, OtherTag) or (isinstance(value, dict) and any(str(key).startswith("__ansible_") for key in value)):
        raise make_error(f"{variable} is a value that only Ansible can read", setting.where, "give it in plain text, for hosts of a lab")
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        raise make_error(f"{variable} is a template: {value}", setting.where, BY_ANSIBLE)
    if value is None or isinstance(value, dict | list | tuple | set):
        raise make_error(f"{variable} should be a plain value (given: {value!r})", setting.where)
    return value
