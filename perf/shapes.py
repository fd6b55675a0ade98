"""Shapes: the sizes of a trial, as data (perf/shapes.toml), and the checks before anything starts.

A shape that does not fit in memory is refused with the arithmetic (exit code 3); a meaningless one (no pods, a survivor without room
for them) is a usage error (exit code 2).
"""

from __future__ import annotations

import difflib
import math
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lab.documents import read_toml
from lab.errors import NotPossible, UsageError
from lab.spec import Nodes, Strict, parse

SHAPES = Path(__file__).parent / "shapes.toml"
LOST, SURVIVOR = "member1", "member2"

CPU_MILLIS, MEMORY_MIB = 50, 64
"""The requests of each pod: small, so that the pod limit of a node decides."""
ROOM = Nodes()
"""The capacity of a hollow node: the lab's default."""
NODE_CPU_MILLIS, NODE_MEMORY_MIB = 8000, 32 * 1024

MIB_OF_LAB = 3 * 430 + 700 + 300 + 2200
"""A host cluster, two members and Karmada without load; the benchmark itself; what GOGC=400 adds under load."""
MIB_PER_NODE = 0.4
MIB_PER_POD = 0.13
"""In all programs of the member that runs it; most of it is the API server's garbage between two collections."""
MIB_PER_BINDING = 0.12
"""In Karmada: template, binding and Work in etcd, API server and controllers."""
CEILING_GIB = 18.0
"""Maximum for any trial, whatever the computer has: a benchmark that swaps measures the disk."""


class Shape(Strict):
    """Two members of `nodes` nodes each, and applications × replicas pods that move from the first to the second."""

    nodes: int = Field(ge=1, le=10_000)
    survivor_nodes: int | None = Field(default=None, ge=1, le=10_000)
    applications: int = Field(ge=0, le=100_000)
    replicas: int = Field(ge=0, le=10_000)
    namespaces: int = Field(default=1, ge=1, le=100)
    limit_pods: int = Field(ge=0)
    within: float = Field(gt=0)
    mode: Literal["push", "pull"] = "push"
    fault: str = "apiserver"

    @property
    def pods(self) -> int:
        return self.applications * self.replicas

    @property
    def room(self) -> int:
        """The number of these pods that the survivor can run."""
        nodes = self.survivor_nodes or self.nodes
        return nodes * min(ROOM.pods, NODE_CPU_MILLIS // CPU_MILLIS, NODE_MEMORY_MIB // MEMORY_MIB)

    @property
    def limit_applications(self) -> int:
        """The number of applications that the limit is measured with: enough for limit_pods, at most all."""
        return min(self.applications, math.ceil(self.limit_pods / self.replicas)) if self.replicas else 0

    def estimate_memory(self) -> tuple[float, str]:
        """Return the peak memory of a trial in GiB, and the arithmetic as text.

        The survivor fills while the lost member still runs, unless the fault kills all its programs: then only the limit's pods are extra.
        """
        nodes = self.nodes + (self.survivor_nodes or self.nodes)
        twice = self.limit_pods if self.fault == "member" else self.pods
        parts = {
            f"{MIB_OF_LAB} MiB for the lab": float(MIB_OF_LAB),
            f"{nodes} nodes × {MIB_PER_NODE} MiB": nodes * MIB_PER_NODE,
            f"({self.pods} + {twice}) pods × {MIB_PER_POD} MiB": (self.pods + twice) * MIB_PER_POD,
            f"{self.applications} bindings × {MIB_PER_BINDING} MiB": self.applications * MIB_PER_BINDING,
        }
        return sum(parts.values()) / 1024, " + ".join(parts)


def list_shapes() -> list[str]:
    """Return the names of all shapes."""
    return list(read_toml(SHAPES, what="the shapes"))


def get_shape(name: str, **changes: Any) -> Shape:
    """Return a shape by name, with these fields changed (None keeps one). Raise UsageError, with the closest name, for an unknown one."""
    table = read_toml(SHAPES, what="the shapes")
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1)
        raise UsageError(
            f"there is no shape {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""), remedy=f"one of: {', '.join(table)}"
        )
    changed = {key: value for key, value in changes.items() if value is not None}
    if changed.keys() & {"applications", "replicas"} and "limit_pods" not in changed:
        pods = changed.get("applications", table[name]["applications"]) * changed.get("replicas", table[name]["replicas"])
        changed["limit_pods"] = min(table[name]["limit_pods"], pods)
    return parse(Shape, {**table[name], **changed}, source=f"shape {name}")


def check_shape(shape: Shape, *, free_gib: float) -> None:
    """Raise UsageError when the shape has no pods or its survivor is too small, NotPossible when it does not fit in memory."""
    if not shape.pods:
        raise UsageError(
            f"{shape.applications} applications × {shape.replicas} replicas make no pods: nothing would move",
            remedy="at least one application of one replica",
        )
    if shape.room < shape.pods:
        nodes = shape.survivor_nodes or shape.nodes
        each = shape.room // nodes
        raise UsageError(
            f"the survivor is too small: {nodes} nodes × {each} pods = {shape.room}, and {shape.pods} pods are to move there",
            remedy=f"{math.ceil(shape.pods / each)} nodes or more, or fewer pods",
        )
    need, summed = shape.estimate_memory()
    limit = min(free_gib, CEILING_GIB)
    if need > limit:
        why = f"{free_gib:.1f} GiB are free" if free_gib < CEILING_GIB else f"{CEILING_GIB:g} GiB is the ceiling"
        raise NotPossible(
            f"this shape needs about {need:.1f} GiB and {why}",
            where=summed,
            remedy="a smaller shape, or a computer with more memory",
        )
