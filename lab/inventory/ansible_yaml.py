"""Ansible's inventory in YAML: groups with `hosts`, `vars` and `children`, and files of variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from lab.errors import UsageError
from lab.inventory.errors import make_error
from lab.inventory.groups import Assignment, Inventory, Variables
from lab.inventory.ranges import expand_ranges
from lab.near_names import did_you_mean, near_names

KEYS = ("hosts", "vars", "children")


@dataclass(frozen=True)
class OtherTag:
    """A value that only Ansible can evaluate, as one tagged !vault."""

    tag: str


class VariablesLoader(yaml.SafeLoader):
    """A loader that keeps values of unknown tags as `OtherTag`: most of them do not change how a host is reached."""


def construct_other_tag(loader: VariablesLoader, suffix: str, node: yaml.Node) -> OtherTag:  # noqa: ARG001 (the form that yaml calls)
    return OtherTag(f"!{suffix}")


VariablesLoader.add_multi_constructor("!", construct_other_tag)


class YamlSource:
    """One YAML file of an inventory; its errors name the line."""

    def __init__(self, data: bytes, source: str) -> None:
        self.source = source
        try:
            self.loader = VariablesLoader(data)
            self.root = self.loader.get_single_node()
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise self.explain(error) from error

    def explain(self, error: Exception) -> UsageError:
        """Return the error for invalid YAML."""
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error).partition("\n")[0] or "it is nested too deeply"
        return make_error(f"invalid YAML: {why}", f"{self.source}:{mark.line + 1}" if mark else self.source)

    def where(self, node: yaml.Node) -> str:
        return f"{self.source}:{node.start_mark.line + 1}"

    def items(self, node: yaml.Node | None, what: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """Yield the keys of a mapping with their nodes and values. UsageError for another node; empty text is an empty mapping."""
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
            return
        if not isinstance(node, yaml.MappingNode):
            raise make_error(f"{what} should be a mapping (NAME: …)", self.where(node))
        try:
            self.loader.flatten_mapping(node)
        except yaml.YAMLError as error:
            raise self.explain(error) from error
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise make_error(f"{what} has a key that is not text", self.where(key))
            yield key.value, key, value

    def read_variables(self, node: yaml.Node | None, what: str) -> Variables:
        """Return the variables of a mapping."""
        found = {}
        for name, key, value in self.items(node, what):
            try:
                found[name] = Assignment(self.loader.construct_object(value, deep=True), self.where(key))
            except (yaml.YAMLError, ValueError, RecursionError) as error:
                raise make_error(f"the value of {name} cannot be read: {getattr(error, 'problem', error)}", self.where(key)) from error
        return found


def parse_yaml(data: bytes, source: str) -> Inventory:
    """Return the inventory. UsageError with file and line says what is wrong."""
    file = YamlSource(data, source)
    inventory = Inventory()
    for name, _, node in file.items(file.root, "an inventory"):
        add_group(inventory, file, name, node, ())
    return inventory


def add_group(inventory: Inventory, file: YamlSource, name: str, node: yaml.Node, around: tuple[Any, ...]) -> None:
    """Add a group with all inside it."""
    if node in around:
        raise make_error(f"group {name} is inside itself", file.where(node))
    group = inventory.add_group(name)
    for key, at, value in file.items(node, f"group {name}"):
        match key:
            case "hosts":
                for pattern, place, variables in file.items(value, f"hosts of {name}"):
                    try:
                        names = [pattern] if pattern.count(":") > 1 and "[" not in pattern else expand_ranges(pattern)
                    except ValueError as error:
                        raise make_error(str(error), file.where(place)) from error
                    inventory.add_hosts(name, names, file.read_variables(variables, f"host {pattern}"), file.where(place))
            case "vars":
                group.variables.update(file.read_variables(value, f"vars of {name}"))
            case "children":
                for child, place, inner in file.items(value, f"children of {name}"):
                    group.children.setdefault(child, file.where(place))
                    add_group(inventory, file, child, inner, (*around, node))
            case _:
                near = did_you_mean(near_names(key, KEYS))
                raise make_error(f"group {name} has an unknown key {key!r}{near}", file.where(at), f"a group has {', '.join(KEYS)}")


def parse_variables(data: bytes, source: str) -> Variables:
    """Return the variables of a file of group_vars or host_vars. UsageError with file and line says what is wrong."""
    file = YamlSource(data, source)
    return file.read_variables(file.root, "a file of variables")
