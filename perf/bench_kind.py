"""What labs of real pods cost, each way to install Karmada in turn.

    lab bench kind [--rounds N] [--deployer NAME … | --clusters] [--out FILE]

Each round times one `kind create cluster` of the lab's node image with kind's defaults until its node is Ready, then `lab up` of one
cluster, then of a host and two members without Karmada, and then, for each deployer, `lab up` of the same three with Karmada, conformance,
and `lab down`. The run's journal says when the clusters were ready and when both members were joined. (With Karmada, its images and
programs start beside the clusters, which delays those.) Images are in the cache already: the benchmark measures what a second run costs.

Results go to standard output and to a JSON file. Exit code 6 when a target is missed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from deployers.release import make_supply
from deployers.wanted import document, prepare
from lab import docker
from lab.cluster import Lab
from lab.computer import Computer
from lab.errors import ProvisionError
from lab.external_names import external_name
from lab.images import node
from lab.images.load import RECORD
from lab.providers import kind_config
from lab.providers.kind import Kind
from lab.providers.kind_config import NODE
from lab.run import Run, write_private
from lab.yaml_text import dump_yaml
from perf import bench
from perf.figures import Measurement, compute_ratios
from perf.progress import say

DEPLOYERS = ("by_binary", "by_chart", "by_yaml", "by_operator", "by_karmadactl")
CLUSTERS = ("host", "member1", "member2")
WITHIN = {"by_binary": 20.0}
"""Limit in seconds from ready clusters to both members Ready; 60 where Karmada runs as pods."""
ALL_WITHIN = 12 * 60.0


def time_kind_cluster(number: int) -> float:
    """Return the seconds of one `kind create cluster` by kind's defaults until its node is Ready, with nothing else of ours beside it."""
    wanted = prepare(document(provider="kind", members=1))
    software = {str(ref): path for ref, path in make_supply().resolve(wanted.software()).items()}
    run = Run.create(f"bench-alone-{number}", wanted.asked, root=bench.ROOT)
    try:
        here = Lab.open(run)
        bounded = docker.lacks_sys_resource(Computer().read("/proc/self/status") or "")
        image = node.build_node_image(here.machine, here.spec.host.kubernetes, software, bounded=bounded)
        name = external_name(run.id, here.spec.host.name)
        run.record(RECORD, here.spec.host.name, {"containers": [f"{name}-{NODE}"], "kind": name, "state": "making"})
        config = run.folder("data", here.spec.host.name) / "kind.yaml"
        write_private(config, dump_yaml(kind_config.make_plain_config(here.spec.host.kubernetes, bounded=bounded)).encode())
        arguments = ["--name", name, "--image", image, "--config", str(config), "--kubeconfig", str(config) + ".kubeconfig"]
        return here.machine.run([str(software["kind"]), "create", "cluster", *arguments, "--wait", "180s"], within=300.0).seconds
    finally:
        Kind().delete(run)
        run.remove()


def read_spans(events: Iterable[dict[str, Any]], clusters: Sequence[str] = CLUSTERS) -> tuple[float, float]:
    """Return, from a run's journal, the seconds until these clusters were ready, and from then until the lab was up.

    Raise ValueError when the journal lacks these events, as that of a lab that did not come up.
    """
    began: float | None = None
    ended: dict[str, float] = {}
    for event in events:
        if event["event"] == "begin" and began is None:
            began = event["at"]
        elif event["event"] == "end" and event.get("step") in clusters:
            ended[event["step"]] = event["at"]
        elif event["event"] == "up" and began is not None and len(ended) == len(clusters):
            there = max(ended.values())
            return there - began, max(0.0, event["at"] - there)
    raise ValueError("the journal does not say when the clusters were ready and when the lab was up")


def time_clusters(number: int, clusters: Sequence[str]) -> float:
    """Return the seconds that a lab of these clusters, created in parallel and without Karmada, takes until all nodes are Ready."""
    name, spec = f"bench-bare-{number}", bench.ROOT / "bench-bare.toml"
    spec.parent.mkdir(parents=True, exist_ok=True)
    members = ", ".join(f'{{ name = "{member}" }}' for member in clusters[1:])
    spec.write_text(f'provider = "kind"\nmembers = [{members}]\n')
    try:
        bench.run_lab("up", "--lab", name, "--spec", str(spec))
        return read_spans(Run.load(name, root=bench.ROOT).events(), clusters)[0]
    finally:
        bench.run_lab("down", "--lab", name)
        spec.unlink(missing_ok=True)


def time_deployer(deployer: str) -> dict[str, float]:
    """Bring a lab up with one deployer, run conformance, take it down; return the seconds of each phase."""
    name = f"bench-{deployer.replace('_', '-')}"
    began = time.monotonic()
    try:
        bench.run_lab("up", "--lab", name, "--provider", "kind", "--deployer", deployer)
        clusters, karmada = read_spans(Run.load(name, root=bench.ROOT).events())
        bench.run_lab("conformance", "--lab", name)
    finally:
        bench.run_lab("down", "--lab", name)
    return {"clusters": clusters, "karmada": karmada, "whole": time.monotonic() - began}


def measure(rounds: int, deployers: Sequence[str]) -> list[Measurement]:
    """Run all benchmarks and return the measurements; a failed one is unknown, with the reason."""
    one: list[float] = []
    own: list[float] = []
    three: list[float] = []
    samples: dict[str, dict[str, list[float]]] = {name: {"clusters": [], "karmada": [], "whole": []} for name in deployers}
    notes: dict[str, str] = {}
    for number in range(1, rounds + 1):
        say(f"round {number}: one kind create cluster")
        one.append(time_kind_cluster(number))
        say(f"round {number}: lab up of one cluster")
        own.append(time_clusters(number, CLUSTERS[:1]))
        say(f"round {number}: lab up of a host and two members")
        three.append(time_clusters(number, CLUSTERS))
        for name in deployers:
            say(f"round {number}: lab up --provider kind --deployer {name}, conformance, lab down")
            try:
                for what, seconds in time_deployer(name).items():
                    samples[name][what].append(seconds)
            except (ProvisionError, ValueError) as error:
                notes[name] = str(error).partition("\n")[0]
    figures = [
        Measurement("one kind create cluster by kind's defaults, its node Ready", "s", tuple(one)),
        Measurement("one cluster as a lab makes it", "s", tuple(own)),
        Measurement("host and two members, side by side", "s", tuple(three)),
        compute_ratios("  over one kind create cluster", three, one, most=1.6),
        compute_ratios("  over one cluster as a lab makes it", three, own),
    ]
    for name in deployers:
        karmada = tuple(samples[name]["karmada"])
        figures.append(Measurement(f"{name}: clusters, Karmada's start beside them", "s", tuple(samples[name]["clusters"])))
        figures.append(
            Measurement(f"{name}: from there to both joined", "s", karmada, most=WITHIN.get(name, 60.0), note=notes.get(name, ""))
        )
    if set(deployers) == {*DEPLOYERS}:
        wholes = list(zip(*(samples[name]["whole"] for name in deployers), strict=False))
        why = "; ".join(f"{name} failed" for name in notes)
        figures.append(Measurement("all of them, one lab after the other", "s", tuple(map(sum, wholes)), most=ALL_WITHIN, note=why))
    return figures
