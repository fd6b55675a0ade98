"""YAML as this project writes it: a string stays a string for every reader.

Go's YAML takes more for a number, a truth value or a date than PyYAML does, which leaves `1234e56`, `0192837` and `y` unquoted: a cluster
of that name had another one in its kubeconfig.
"""

from __future__ import annotations

from typing import Any

import yaml

AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan", "infinity"})
FIRST = frozenset("0123456789+-.~=<")


def is_ambiguous(text: str) -> bool:
    """Tell whether a reader of YAML 1.1 or 1.2 may take a plain text for something else."""
    return bool(text) and "\n" not in text and (text[0] in FIRST or text.casefold() in AMBIGUOUS)


class QuotingDumper(yaml.SafeDumper):
    """A dumper that quotes every text that may be taken for something else."""


def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if is_ambiguous(text) else None)


QuotingDumper.add_representer(str, represent_text)


def dump_yaml(document: Any) -> str:
    """Return a document as YAML, its keys in their order."""
    return yaml.dump(document, Dumper=QuotingDumper, sort_keys=False)
