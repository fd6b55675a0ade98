"""Hosts and groups of an Ansible inventory, and which variables each host has in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError
from typing import Any

from lab.inventory.errors import make_error
from lab.waves import order_waves

ALL, UNGROUPED = "all", "ungrouped"


@dataclass(frozen=True)
class Assignment:
    """A variable's value, and the file and line that set it."""

    value: Any
    where: str


Variables = Mapping[str, Assignment]


@dataclass
class HostGroup:
    """A group as it is written: its own hosts, variables and groups inside it, each of these with the place that names it."""

    hosts: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Assignment] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)


@dataclass
class Inventory:
    """What an inventory says. `group_files` and `host_files` are the variables of group_vars and host_vars, which override its own."""

    hosts: dict[str, dict[str, Assignment]] = field(default_factory=dict)
    groups: dict[str, HostGroup] = field(default_factory=lambda: {ALL: HostGroup(), UNGROUPED: HostGroup()})
    group_files: dict[str, Variables] = field(default_factory=dict)
    host_files: dict[str, Variables] = field(default_factory=dict)

    def add_hosts(self, group: str, names: Iterable[str], variables: Variables, where: str) -> None:
        """Add hosts to a group; variables of an earlier line stay unless these replace them."""
        for name in names:
            self.hosts.setdefault(name, {}).update(variables)
            self.add_group(group).hosts.setdefault(name, where)

    def add_group(self, name: str) -> HostGroup:
        """Return a group, made now unless it is there."""
        return self.groups.setdefault(name, HostGroup())

    def resolve(self) -> dict[str, dict[str, Assignment]]:
        """Return each host's variables by name. UsageError when groups are inside each other.

        Later ones override earlier ones, in Ansible's order: the group `all`, outer before inner groups, of one depth those with the
        smaller ansible_group_priority and then by name, group_vars in the same order, the host's own, host_vars.
        """
        outer = self.list_outer_groups()
        order = self.order_groups(outer)
        inside = self.list_groups_of_hosts(outer)
        found = {}
        for host, own in self.hosts.items():
            mine = [ALL, *(name for name in order if name in inside[host] and name != ALL)]
            merged: dict[str, Assignment] = {}
            for name in mine:
                merged.update(self.groups[name].variables)
            for name in mine:
                merged.update(self.group_files.get(name, {}))
            found[host] = {**merged, **own, **self.host_files.get(host, {})}
        return found

    def select_hosts(self, group: str, source: str) -> list[str]:
        """Return the hosts of a group, those of the groups inside it included. UsageError when there is none, or it has no hosts."""
        names = sorted(self.groups)
        if group not in self.groups:
            raise make_error(f"it has no group {group!r}", source, f"one of: {', '.join(names)}")
        inside = self.list_groups_of_hosts(self.list_outer_groups())
        found = [host for host in self.hosts if group == ALL or group in inside[host]]
        if not found:
            raise make_error(f"its group {group!r} has no hosts", source, f"one of: {', '.join(names)}")
        return found

    def list_outer_groups(self) -> dict[str, list[str]]:
        """Return the groups that each group is directly inside of."""
        outer: dict[str, list[str]] = {name: [] for name in self.groups}
        for name, group in self.groups.items():
            for child in group.children:
                outer[child].append(name)
        return outer

    def order_groups(self, outer: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the groups, outer ones first. UsageError when they are inside each other."""
        depth: dict[str, int] = {}
        try:
            for wave in order_waves(outer):
                for name in wave:
                    depth[name] = max((depth[each] + 1 for each in outer[name]), default=int(name != ALL))
        except CycleError as error:
            circle: list[str] = error.args[1]
            where = next((group.children[circle[1]] for group in [self.groups[circle[0]]] if circle[1] in group.children), "")
            where = where or self.groups[circle[1]].children.get(circle[0], "")
            raise make_error(f"groups are inside each other: {' → '.join(circle)}", where) from None
        return sorted(depth, key=lambda name: (depth[name], self.read_priority(name), name))

    def read_priority(self, group: str) -> int:
        """Return what orders groups of one depth. UsageError when the priority is not a number."""
        setting = self.groups[group].variables.get("ansible_group_priority")
        if setting is None:
            return 1
        try:
            return int(setting.value)
        except (TypeError, ValueError, OverflowError):
            raise make_error(f"ansible_group_priority of {group} is not a number: {setting.value!r}", setting.where) from None

    def list_groups_of_hosts(self, outer: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
        """Return the groups that each host is in, those around its own ones included."""
        inside: dict[str, set[str]] = {host: set() for host in self.hosts}
        for name, group in self.groups.items():
            around, waiting = set(), [name]
            while waiting:
                each = waiting.pop()
                if each not in around:
                    around.add(each)
                    waiting += outer[each]
            for host in group.hosts:
                inside[host] |= around
        return inside
