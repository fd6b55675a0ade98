"""Distinguish a template from a broken file: neither is YAML, but only the broken file is at fault."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import yaml

from scenarios.ci.lint.documents import ParsedNode, TooDeepError, read_yaml

EXPRESSION = re.compile(r"(?<!\$)\{\{.*?\}\}|<%.*?%>|\{#.*?#\}", re.DOTALL)
STATEMENT = re.compile(r"^\s*\{\{.*\}\}\s*$|^\s*\{\{-?\s*/\*|^\s*(\{%.*%\}|<%.*%>)\s*$", re.MULTILINE)
COMMENT_OR_QUOTED = re.compile(r"(^|\s)#.*$|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'", re.MULTILINE)


def is_template(name: str, text: str, error: yaml.YAMLError) -> bool:
    """Return whether a text that is not YAML probably becomes YAML by rendering.

    `{{` in comments and quoted strings, and `${{` of workflows, do not make a template. If the same line is still faulty after every
    expression is replaced by a word, the file is broken, unless it has template statements: their result cannot be predicted.
    """
    bare = COMMENT_OR_QUOTED.sub(" ", text)
    if STATEMENT.search(bare) or "{%" in bare:
        return True
    if not EXPRESSION.search(bare):
        return False
    if "templates" in PurePosixPath(name).parts:
        return True
    try:
        read_yaml(EXPRESSION.sub("x", text))
    except yaml.YAMLError as again:
        return line_of(again) != line_of(error)
    except TooDeepError:
        return False
    return True


def has_bare_expression(documents: list[ParsedNode], text: str) -> bool:
    """Return whether a text is YAML only because `{{ x }}` is a map with a map for a key."""
    if "{{" not in text:
        return False
    todo, seen = list(documents), set[int]()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if any(key.kind == "map" for key, _ in node.pairs):
            return True
        todo += [*node.items, *(value for _, value in node.pairs)]
    return False


def line_of(error: yaml.YAMLError) -> int:
    """Return the line of a fault, from 1; 0 when it has none."""
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 0


def explain(error: yaml.YAMLError) -> str:
    """Return a fault as one line: where, and what the parser expected."""
    message = " ".join(part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part) or str(error)
    return f"line {line_of(error)}: {message}" if line_of(error) else " ".join(message.split())
