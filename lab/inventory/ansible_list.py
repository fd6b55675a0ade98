"""The JSON that Ansible's inventory scripts and `ansible-inventory --list` print."""

from __future__ import annotations

from typing import Any

from lab.inventory.errors import make_error
from lab.inventory.groups import ALL, Assignment, Inventory, Variables

META = "_meta"


def parse_list(document: Any, source: str) -> Inventory:
    """Return the inventory of a document `{"group": {"hosts": […], "vars": {…}, "children": […]}, "_meta": {"hostvars": {…}}}`.

    A group may be a list of its hosts. UsageError says which key is wrong.
    """
    inventory = Inventory()
    groups = read_table(document, "the document", source)
    for name, written in groups.items():
        if name == META:
            continue
        table = {"hosts": written} if isinstance(written, list) else read_table(written, name, source)
        group = inventory.add_group(name)
        inventory.add_hosts(name, read_names(table.get("hosts"), f"{name}.hosts", source), {}, f"{source}: {name}.hosts")
        group.variables.update(read_variables(table.get("vars"), f"{name}.vars", source))
        for child in read_names(table.get("children"), f"{name}.children", source):
            inventory.add_group(child)
            group.children.setdefault(child, f"{source}: {name}.children")
    meta = read_table(groups.get(META), META, source)
    for host, variables in read_table(meta.get("hostvars"), f"{META}.hostvars", source).items():
        inventory.hosts.setdefault(host, {}).update(read_variables(variables, f"{META}.hostvars.{host}", source))
    for host in inventory.hosts:
        inventory.groups[ALL].hosts.setdefault(host, source)
    return inventory


def read_table(value: Any, key: str, source: str) -> dict[str, Any]:
    """Return an object of the document; null is one without keys. UsageError when it is something else."""
    if not isinstance(value, dict | None):
        raise make_error(f"{key} should be an object", f"{source}: {key}")
    return value or {}


def read_names(value: Any, key: str, source: str) -> list[str]:
    """Return a list of names. UsageError when it is something else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise make_error(f"{key} should be a list of names", f"{source}: {key}")
    return value


def read_variables(value: Any, key: str, source: str) -> Variables:
    """Return variables, each with its place in the document."""
    return {name: Assignment(each, f"{source}: {key}.{name}") for name, each in read_table(value, key, source).items()}
