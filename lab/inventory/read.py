"""Read an inventory and give the lab file's document its hosts."""

from __future__ import annotations

import codecs
import json
import os
from pathlib import Path
from typing import Any

from lab.documents import decode, parse_toml, read_file
from lab.errors import UsageError
from lab.inventory.ansible_ini import parse_ini
from lab.inventory.ansible_list import parse_list
from lab.inventory.ansible_yaml import parse_yaml
from lab.inventory.command import run_inventory_command
from lab.inventory.errors import make_error, raise_all
from lab.inventory.hosts import FILES, Row, make_rows
from lab.inventory.variable_files import read_variable_files
from lab.named_files import resolve_file, resolve_files
from lab.spec import MachineHost, parse

COMMAND = "what inventory_command prints"


def fill_hosts(table: Any, folder: Path) -> Any:
    """Return the table [machines] with the hosts of its inventory in place of the inventory; relative paths begin at `folder`.

    A table that names machines in two ways keeps both: validating it says what is wrong. UsageError when the inventory cannot be read.
    """
    if not isinstance(table, dict):
        return table
    if isinstance(hosts := table.get("hosts"), list):
        table = {**table, "hosts": [resolve_files(host, FILES, folder) for host in hosts]}
    rest = {key: value for key, value in table.items() if key not in {"inventory", "inventory_command", "group"}}
    group = str(table.get("group") or "")
    file, command = table.get("inventory"), table.get("inventory_command")
    if bool(file) == bool(command) or rest.get("hosts") or rest.get("count") or rest.get("kind", "ssh") != "ssh":
        return table
    if isinstance(file, str):
        return {**rest, "hosts": read_inventory(Path(resolve_file(file, folder)), group)}
    if isinstance(command, list) and command and all(isinstance(each, str) and each for each in command):
        return {**rest, "hosts": parse_json(run_inventory_command(command, folder), COMMAND, folder, group)}
    return table


def read_inventory(path: Path, group: str = "") -> list[Row]:
    """Return the hosts of an inventory's file, as rows of `[[machines.hosts]]`. UsageError says what is wrong, and in which line.

    With `group`, those of that group of an Ansible inventory; see `make_rows`.

    A file ending in .toml or .json is a list of the lab's own, .json also what Ansible prints; .yaml, .yml and a first line `---` are
    Ansible's YAML, all else is Ansible's INI.
    """
    source, folder = str(path), path.absolute().parent
    try:
        data = read_file(path)
    except OSError as error:
        raise make_error(
            error.strerror or str(error), source, "name a file; a folder of inventories is read by ansible-inventory"
        ) from error
    if data.startswith(b"#!") and os.access(path, os.X_OK):
        raise make_error("it is a program", source, f'run it: inventory_command = ["{path}", "--list"]')
    if path.suffix == ".json" or data.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{":
        return parse_json(data, source, folder, group)
    try:
        if path.suffix == ".toml":
            return list_own(parse_toml(data), source, folder, group)
        text = decode(data)
    except ValueError as error:
        raise make_error(str(error), source) from error
    is_yaml = path.suffix in {".yaml", ".yml"} or text.lstrip().startswith("---")
    inventory = parse_yaml(data, source) if is_yaml else parse_ini(text, source)
    read_variable_files(inventory, folder)
    return make_rows(inventory, folder, source, group)


def parse_json(data: bytes, source: str, folder: Path, group: str = "") -> list[Row]:
    """Return the hosts of JSON: a list of the lab's own, or what Ansible prints. UsageError says what is wrong."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise make_error(f"invalid JSON: {error or 'nested too deeply'}", source) from error
    if isinstance(document, list) or (isinstance(document, dict) and isinstance(document.get("hosts"), list) and "_meta" not in document):
        return list_own(document, source, folder, group)
    return make_rows(parse_list(document, source), folder, source, group)


def list_own(document: Any, source: str, folder: Path, group: str) -> list[Row]:
    """Return the hosts of a list of the lab's own: `[[hosts]]`, or a JSON array, with the keys of MachineHost. UsageError lists faults."""
    if group:
        raise make_error(f"a list of hosts has no group {group!r}", source, "leave `group` out; inventories of Ansible have groups")
    if isinstance(document, dict):
        if other := sorted(document.keys() - {"hosts"}):
            raise make_error(f"unknown key {other[0]!r}: a list has `hosts` only", source)
        document = document.get("hosts")
    if not isinstance(document, list) or not document:
        raise make_error("it has no hosts", source, "add [[hosts]] with a name and an address")
    errors: list[UsageError] = []
    rows: list[Row] = []
    for number, row in enumerate(document):
        try:
            host = parse(MachineHost, resolve_files(row, FILES, folder), source=source, prefix=f"hosts[{number}].")
        except UsageError as error:
            errors += [make_error(line, source) for line in (error.detail or error.what).splitlines()]
            continue
        rows.append(host.model_dump(exclude_unset=True))
    raise_all(errors, source)
    return rows
