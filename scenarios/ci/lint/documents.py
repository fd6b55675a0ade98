"""Read YAML and JSON as trees, without giving tags a meaning: `!vault`, `!Ref` and `=` are values like others.

YAML is composed from libyaml's events and not by PyYAML's composer, which rejects an anchor that is set twice (YAML allows it) and
overflows the C stack on deep nesting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

DEEPEST = 500


class TooDeepError(Exception):
    """A document is nested deeper than DEEPEST levels."""


@dataclass(slots=True, eq=False)
class ParsedNode:
    """A value in a document. `text` is a scalar's; `kind` of a plain scalar says what it would be loaded as."""

    kind: Literal["map", "list", "str", "int", "float", "bool", "null"]
    line: int
    text: str = ""
    items: list[ParsedNode] = field(default_factory=list)
    pairs: list[tuple[ParsedNode, ParsedNode]] = field(default_factory=list)

    def get(self, key: str) -> ParsedNode | None:
        """Return the value of a key of a map, its merge keys (`<<`) included, or None."""
        todo, seen = [self], set[int]()
        while todo:
            node = todo.pop(0)
            if id(node) in seen:
                continue
            seen.add(id(node))
            for name, value in node.pairs:
                if name.text == key and not name.items and not name.pairs:
                    return value
            todo += [each for name, value in node.pairs if name.text == "<<" for each in (value, *value.items)]
        return None

    def string(self, key: str) -> str | None:
        """Return the value of a key when it is a string."""
        found = self.get(key)
        return found.text if found and found.kind == "str" else None


def read_yaml(text: str | bytes) -> list[ParsedNode]:
    """Return the documents of a text that are not empty. yaml.YAMLError when it is not YAML, TooDeepError."""
    composer = Composer()
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        composer.take(event)
    return [node for node in composer.documents if node.kind != "null"]


@dataclass
class Composer:
    """The documents that a parser's events describe; `open_nodes` are those being filled, each with a key that waits for its value."""

    documents: list[ParsedNode] = field(default_factory=list)
    anchors: dict[str, ParsedNode] = field(default_factory=dict)
    open_nodes: list[ParsedNode] = field(default_factory=list)
    keys: list[ParsedNode | None] = field(default_factory=list)

    def take(self, event: yaml.Event) -> None:
        """Add what one event says."""
        if isinstance(event, yaml.DocumentStartEvent):
            self.anchors.clear()
        elif isinstance(event, yaml.CollectionEndEvent):
            self.open_nodes.pop()
            self.keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise yaml.composer.ComposerError(None, None, f"undefined alias {event.anchor!r}", event.start_mark)  # type: ignore[arg-type]
            self.add(self.anchors[event.anchor])
        elif isinstance(event, yaml.NodeEvent):
            node = node_of(event)
            if event.anchor:
                self.anchors[event.anchor] = node
            self.add(node)
            if isinstance(event, yaml.CollectionStartEvent):
                self.open_nodes.append(node)
                self.keys.append(None)
                if len(self.open_nodes) > DEEPEST:
                    raise TooDeepError

    def add(self, node: ParsedNode) -> None:
        """Put a node where the parser stands: a document, an item, a key or a key's value."""
        if not self.open_nodes:
            self.documents.append(node)
        elif self.open_nodes[-1].kind == "list":
            self.open_nodes[-1].items.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            self.open_nodes[-1].pairs.append((key, node))
            self.keys[-1] = None


def node_of(event: Any) -> ParsedNode:
    """Return the node that an event begins, with nothing in it yet."""
    line = event.start_mark.line + 1
    if isinstance(event, yaml.CollectionStartEvent):
        return ParsedNode("map" if isinstance(event, yaml.MappingStartEvent) else "list", line)
    return ParsedNode(resolve(event.value) if event.implicit[0] else "str", line, event.value)


def resolve(text: str) -> Literal["str", "int", "float", "bool", "null"]:
    """Return what a plain scalar is loaded as, by YAML 1.1 as Kubernetes' own loader reads it."""
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], []):
        if pattern.match(text) and (kind := tag.rpartition(":")[2]) in {"int", "float", "bool", "null"}:
            return kind  # type: ignore[no-any-return]
    return "str"


def find_duplicates(documents: list[ParsedNode]) -> Iterator[str]:
    """Yield each key that a map holds twice; `<<` may be repeated."""
    seen: set[int] = set()
    todo = list(reversed(documents))
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        first: dict[str, int] = {}
        for key, _ in node.pairs:
            if key.items or key.pairs or key.text == "<<":
                continue
            if key.text in first:
                yield f"line {key.line}: duplicate key {key.text!r}, first on line {first[key.text]}"
            first.setdefault(key.text, key.line)
        todo += reversed([*node.items, *(each for pair in node.pairs for each in pair)])


def read_json(text: str) -> list[ParsedNode]:
    """Return the documents of a text of JSON values, one after the other. ValueError when it is not JSON, TooDeepError."""
    decoder, position, documents = json.JSONDecoder(), 0, []
    text = text.removeprefix("\ufeff").strip()
    try:
        while position < len(text):
            value, position = decoder.raw_decode(text, position)
            documents.append(node_of_json(value))
            position = json.decoder.WHITESPACE.match(text, position).end()  # type: ignore[attr-defined]
    except RecursionError:
        raise TooDeepError from None
    if not documents:
        raise ValueError("no JSON value: the file is empty")
    return documents


def node_of_json(value: Any) -> ParsedNode:
    """Return a JSON value as a node; JSON's reader knows no lines."""
    if isinstance(value, dict):
        return ParsedNode("map", 1, pairs=[(ParsedNode("str", 1, key), node_of_json(each)) for key, each in value.items()])
    if isinstance(value, list):
        return ParsedNode("list", 1, items=[node_of_json(each) for each in value])
    if value is None:
        return ParsedNode("null", 1)
    kinds: dict[type, Literal["str", "int", "float", "bool"]] = {str: "str", bool: "bool", int: "int", float: "float"}
    return ParsedNode(kinds[type(value)], 1, str(value))
