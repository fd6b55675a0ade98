"""group_vars and host_vars beside an Ansible inventory: a file for each group or host, or a directory of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lab.inventory.ansible_yaml import parse_variables
from lab.inventory.errors import make_error
from lab.inventory.groups import Assignment, Inventory

SUFFIXES = ("", ".yml", ".yaml", ".json")
VAULT = b"$ANSIBLE_VAULT"


def read_variable_files(inventory: Inventory, folder: Path) -> None:
    """Fill the variables that the files of a folder have for the inventory's groups and hosts. UsageError as in `parse_variables`."""
    for place, names, found in (
        ("group_vars", list(inventory.groups), inventory.group_files),
        ("host_vars", list(inventory.hosts), inventory.host_files),
    ):
        for name in names:
            variables: dict[str, Assignment] = {}
            for file in list_files(folder / place, name):
                variables.update(read_file(file))
            if variables:
                found[name] = variables


def list_files(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files of a group or host in the order in which Ansible reads them."""
    if "/" in name:
        return
    for suffix in SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.is_dir():
            yield from sorted(
                file for file in path.rglob("*") if file.is_file() and file.suffix in SUFFIXES and not file.name.startswith(".")
            )
        elif path.is_file():
            yield path


def read_file(file: Path) -> dict[str, Assignment]:
    """Return the variables of a file; an encrypted one has none, since its key is Ansible's."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise make_error(error.strerror or str(error), str(file)) from error
    return {} if data.startswith(VAULT) else dict(parse_variables(data, str(file)))
