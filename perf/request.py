"""A trial as it is requested on the command line: the options that `lab bench failover`, `compare` and `ablation` share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from lab.cli.options import duration, option
from perf import profile, shapes
from perf.faults import FAULTS

RESULTS = Path("_artifacts/failover")
SHAPES = ", ".join(shapes.list_shapes())
PROFILES = ", ".join(profile.list_profiles())
OF_SHAPE = "Instead of the shape's."


@dataclass(frozen=True)
class TrialRequest:
    """The options of one trial, or of several alike."""

    shape: Annotated[str, option("--shape", help=f"{SHAPES}.")] = "small"
    profile: Annotated[str, option("--profile", help=f"{PROFILES}, or the path of a lab file.")] = "tuned"
    fault: Annotated[str | None, option("--fault", help=f"{', '.join(FAULTS)}; else the shape's.")] = None
    rounds: Annotated[int, option("--rounds", help="Trials, one after the other.", min=1, metavar="N")] = 1
    changes: Annotated[list[str], option("--set", help="Change one key of the profile; may be repeated.", metavar="KEY=VALUE")] = field(
        default_factory=list
    )
    users: Annotated[int, option("--users", help="Users that call the Karmada API during the failover (locust).", metavar="N")] = 0
    backend: Annotated[Literal["kwok", "kubemark"], option("--backend", help="What simulates the nodes.")] = "kwok"
    mode: Annotated[Literal["push", "pull"] | None, option("--mode", help="How the members are joined; else the shape's.")] = None
    nodes: Annotated[int | None, option("--nodes", help=OF_SHAPE, metavar="N")] = None
    survivor_nodes: Annotated[int | None, option("--survivor-nodes", help=OF_SHAPE, metavar="N")] = None
    applications: Annotated[int | None, option("--applications", help=OF_SHAPE, metavar="N")] = None
    replicas: Annotated[int | None, option("--replicas", help=OF_SHAPE, metavar="N")] = None
    namespaces: Annotated[int | None, option("--namespaces", help=OF_SHAPE, metavar="N")] = None
    limit_pods: Annotated[int | None, option("--limit-pods", help="Pods that the limit is measured with; 0 skips it.", metavar="N")] = None
    within: Annotated[float | None, duration("--timeout", help="How long a trial may take; else the shape's.", zero=False)] = None
    without_failover: Annotated[bool, option("--without-failover", help="Measure that nothing moves while failover is off.")] = False
    goal: Annotated[float | None, option("--goal", help="Times the limit that moving may take; more is exit code 6.")] = None
    out: Annotated[Path, option("--out", help="Where results are kept.", metavar="DIR")] = RESULTS
