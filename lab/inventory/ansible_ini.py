"""Ansible's inventory in INI: host lines, [group], [group:children], [group:vars]."""

from __future__ import annotations

import ast
import re
import shlex
from typing import Any

from lab.inventory.errors import make_error
from lab.inventory.groups import ALL, UNGROUPED, Assignment, Inventory
from lab.inventory.ranges import expand_ranges, split_port

SECTION = re.compile(r"\[([^:\]\s]+)(?::([^\]\s]*))?\]\s*(?:[#;].*)?")
KINDS = ("", "children", "vars")


def parse_ini(text: str, source: str) -> Inventory:
    """Return the inventory. UsageError with file and line says what is wrong."""
    parser = IniParser(source)
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and line.strip()[0] not in "#;":
            parser.read_line(line.strip(), f"{source}:{number}")
    return parser.finish()


class IniParser:
    """The inventory read so far, and the section that the next line is in."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.inventory = Inventory()
        self.group, self.kind = UNGROUPED, ""
        self.mentioned: dict[str, str] = {}
        self.made = {ALL, UNGROUPED}

    def read_line(self, line: str, where: str) -> None:
        """Read a line that is not empty. UsageError says what is wrong with it."""
        if not is_host(line) and (section := SECTION.fullmatch(line)):
            self.begin_section(section[1], section[2] or "", where)
        elif self.kind == "children":
            child = line.split("#", maxsplit=1)[0].strip()
            self.inventory.add_group(child)
            self.inventory.groups[self.group].children.setdefault(child, where)
            self.mentioned.setdefault(child, where)
        elif self.kind == "vars":
            name, equals, value = line.partition("=")
            if not equals:
                raise make_error(f"{line!r} sets no variable", where, "write NAME=VALUE")
            self.inventory.groups[self.group].variables[name.strip()] = Assignment(parse_value(value.strip()), where)
        else:
            add_host_line(self.inventory, self.group, line, where)

    def begin_section(self, group: str, kind: str, where: str) -> None:
        if kind not in KINDS:
            raise make_error(f"section [{group}:{kind}] has an unknown kind", where, "use [NAME], [NAME:children] or [NAME:vars]")
        self.group, self.kind = group, kind
        self.inventory.add_group(group)
        if kind == "vars":
            self.mentioned.setdefault(group, where)
        else:
            self.made.add(group)

    def finish(self) -> Inventory:
        """Return the inventory. UsageError when a group is named and never made."""
        for name, where in self.mentioned.items():
            if name not in self.made:
                raise make_error(f"there is no group {name!r}", where, f"add a section [{name}]")
        return self.inventory


def is_host(line: str) -> bool:
    """Whether a line that begins with a bracket is a host: an IPv6 address, or a range at the beginning of a name."""
    first = line.split(maxsplit=1)[0]
    return bool(
        re.match(r"\[([0-9]*|[A-Za-z]):([0-9]+|[A-Za-z])(:[0-9]+)?\]", first) or re.match(r"\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:", first)
    )


def add_host_line(inventory: Inventory, group: str, line: str, where: str) -> None:
    """Add the hosts of one line. UsageError says what is wrong with it."""
    try:
        pattern, *rest = shlex.split(line, comments=True)
        pattern, port = split_port(pattern)
        names = expand_ranges(pattern) if pattern.count(":") < 2 or "[" in pattern else [pattern]
    except ValueError as error:
        raise make_error(str(error), where) from error
    variables = {"ansible_port": Assignment(int(port), where)} if port else {}
    for each in rest:
        name, equals, value = each.partition("=")
        if not equals:
            raise make_error(f"{each!r} sets no variable", where, "write NAME=VALUE, with quotes around a value that has spaces")
        variables[name] = Assignment(parse_value(value), where)
    inventory.add_hosts(group, names, variables, where)


def parse_value(text: str) -> Any:
    """Return a value as Ansible takes it from INI: what is a literal of Python is that, all else is text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
