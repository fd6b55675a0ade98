"""Rules of groups of nodes: labels, zones, capacity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lab.preflight import Found, Place, Problem
from lab.rules.syntax import label_key_error, label_value_error, quantity_error
from lab.spec import PLACES

HOSTNAME = "kubernetes.io/hostname"
MOST_PODS = 2**23 - 2
"""Addresses of the hollow pods of a cluster (10.128.0.0/9): no node can have more."""


def zone_errors(value: str, place: Place) -> Found:
    if why := label_value_error(value):
        yield f"{value!r} becomes a label's value, which {why}"


def label_errors(labels: Mapping[str, str], place: Place) -> Iterator[Problem]:
    for key, value in labels.items():
        at = f'["{key}"]'
        if why := label_key_error(key):
            yield Problem(at, f"the key {why}")
        if why := label_value_error(value):
            yield Problem(at, f"the value {value!r} {why}")
        if key == HOSTNAME:
            yield Problem(at, "each node has its own name there, which the lab sets", 'leave it out, or set "name"')
        if (field := PLACES.get(key)) and (given := getattr(place.owner, field)) and given != value:
            yield Problem(at, f"{value!r} contradicts {field} = {given!r}", "give one of them")


def cpu_errors(value: str, place: Place) -> Found:
    if why := quantity_error(value, scale=1000):
        yield f"{value!r} {why}"


def memory_errors(value: str, place: Place) -> Found:
    if why := quantity_error(value):
        yield f"{value!r} {why}"


def pods_errors(value: int, place: Place) -> Found:
    if value > MOST_PODS:
        yield f"{value} pods: a cluster has addresses for {MOST_PODS}"
