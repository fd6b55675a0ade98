"""Rules of files that a spec names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from deployers.plane.authority import authority_errors, certificate_of, file_errors
from deployers.plane.certificates import leaves
from deployers.spec import KarmadaSpec, KeyPair
from lab.preflight import Found, Place, Problem

OWN_FILES = frozenset({"init.yaml", "audit-policy.yaml"})
"""Files that the lab may write beside those of `files`."""


def file_rule(path: Path, place: Place) -> Iterator[Problem]:
    return file_errors(path)


def certificate_errors(path: Path, place: Place) -> Iterator[Problem]:
    """Yield why a file holds no certificate: of several only the first is looked at, as by those who read it."""
    if found := list(file_errors(path)):
        yield from found
        return
    try:
        certificate_of(path.read_bytes())
    except ValueError as error:
        if "certificates:" not in str(error):  # a bundle of authorities is fine here
            yield Problem("", f"{path} {error}")


def ca_errors(given: KeyPair | None, place: Place) -> Iterator[Problem]:
    """Yield why the authority cannot sign what Karmada needs."""
    assert isinstance(place.root, KarmadaSpec)
    if given:
        names = [host for leaf in leaves(place.root) if leaf.authority == "ca" for host in leaf.hosts]
        yield from authority_errors(given, names)


def values_errors(file: Path | None, place: Place) -> Iterator[Problem]:
    """Yield why a file does not hold values of a chart. by_chart checks which values the chart has."""
    if file is None:
        return
    if found := list(file_errors(file)):
        yield from found
        return
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        yield Problem("", f"{file} is not valid YAML: {' '.join(str(error).split())}")
        return
    if not isinstance(document, dict):
        yield Problem("", f"{file} holds no map of values")


def own_file_errors(files: Mapping[str, str], place: Place) -> Found:
    for name in files:
        if name in OWN_FILES:
            yield Problem(f'["{name}"]', "the lab writes a file of that name itself", "take another name")
