"""What scenarios break on purpose, and how it is made whole again: programs that end, and what Karmada is told to do about it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiException, CoreV1Api, CustomObjectsApi

from deployers.checks.conformance import MEMBERS, conformance
from deployers.karmada import Karmada
from deployers.members.karmadactl import karmadactl
from deployers.names import LEASES, kind_of
from deployers.plane.leases import path_of
from lab.cluster import Lab
from lab.hollow import HOLLOW, drop_stale_leases, wait_managed
from lab.images.load import RECORD, list_nodes
from lab.machines.machine import Machine
from lab.program import Program
from lab.run import Run
from lab.supervisor import record
from lab.supervisor.client import Supervisor
from lab.wait import NotYet
from scenarios.kit.waiting import eventually

TAINT = "lab.karmada.io/not-ready"


@contextmanager
def kill_program(run: Run, program: str) -> Iterator[None]:
    """Have a program of the lab killed by SIGKILL and stay so during the body; afterwards it serves again."""
    Supervisor(run.path).stop(program, kill=True)
    try:
        yield
    finally:
        start(run, program)


@contextmanager
def api_down(lab: Lab, member: str) -> Iterator[None]:
    """Have a member's kube-apiserver away during the body: killed, or where it is a pod, cut off. Afterwards the member is well again.

    Its own controllers are restarted then: each of them backs off by itself, up to half a minute, and until kwok renews the leases
    of the nodes again they are NotReady.
    """
    record = lab.run.recorded(RECORD, member)
    with cut_off(list_nodes(lab, lab.member(member))) if record else kill_program(lab.run, f"{member}/kube-apiserver"):
        yield

    api = lab.member(member).api

    def serves() -> None:
        """the member's API is ready: a controller that starts before gives up"""
        assert api.answers("/readyz")

    eventually(serves, within=60)
    supervisor = Supervisor(lab.run.path)
    status = supervisor.status()
    assert status
    kwok, *others = (f"{member}/{program}" for program in ("kwok", "kube-controller-manager", "kube-scheduler"))
    if kwok in status.programs:
        supervisor.stop(kwok, kill=True)  # asked to, it goes on for seconds
        drop_stale_leases(api, lab.run, member)
        start(lab.run, kwok)
    for program in others:
        if program in status.programs:
            supervisor.restart(program, within=3.0)
    if kwok in status.programs:
        hollow = {node["metadata"]["name"] for node in api.items("/api/v1/nodes") if HOLLOW in node["metadata"].get("annotations", {})}
        wait_managed(api, member, hollow, within=60)


@contextmanager
def cut_off(machines: Sequence[Machine], port: int = 6443) -> Iterator[None]:
    """Have nodes refuse connections to their API server during the body, from outside and from within, as if nobody listened."""
    rule = ["INPUT", "--protocol", "tcp", "--destination-port", str(port), "--jump", "REJECT", "--reject-with", "tcp-reset"]
    for machine in machines:
        machine.run(["iptables", "--insert", *rule])
    try:
        yield
    finally:
        for machine in machines:
            machine.run(["iptables", "--delete", *rule])


@contextmanager
def standing_still(lab: Lab, member: str) -> Iterator[None]:
    """Have the nodes of a member stand still during the body, with all that runs on them: nobody is answered, and nobody refused."""
    containers = (lab.run.recorded(RECORD, member) or {})["containers"]
    lab.machine.run(["docker", "pause", *containers])
    try:
        yield
    finally:
        lab.machine.run(["docker", "unpause", *containers])


def start(run: Run, program: str, *, within: float = 60.0) -> None:
    """Start a program that was stopped as it was started before, and return when it listens; how often it was restarted counts anew."""
    again(run, as_started(run, program), within=within)


def as_started(run: Run, program: str) -> Program:
    """Return a program as it was started last."""
    row = record.read_records(str(run.path))[program]
    return Program(
        name=program,
        argv=tuple(row["argv"]),
        log=Path(row["log"]),
        env=row["env"],
        cwd=Path(row["cwd"]) if row["cwd"] else None,
        nice=row["nice"],
        needs=tuple(row["needs"]),
        ports=tuple(row["ports"]),
    )


def again(run: Run, program: Program, *, within: float = 60.0) -> None:
    """Start a program and return when it listens."""
    supervisor = Supervisor(run.path)
    state = supervisor.start(program)
    supervisor.ready(program.name, lambda: listens(state.ports), within=within)


def restart_ended(karmada: Karmada) -> None:
    """Start those programs of Karmada anew that ended by themselves meanwhile, so that nobody after us wonders about their restarts.

    On a busy computer an API server that is away for some seconds makes controllers lose their lease, and they end by that. etcd is last.
    """

    def serves() -> None:
        """karmada-apiserver is ready: leases are deleted there"""
        assert karmada.api.answers("/readyz")

    eventually(serves, within=60)
    supervisor = Supervisor(karmada.run.path)
    status = supervisor.status()
    assert status
    restarted = [name for name, state in status.programs.items() if name.startswith(f"{karmada.name}/") and state.restarts]
    for name in sorted(restarted, key=lambda name: "/etcd" in name):
        supervisor.stop(name, within=2.0)
        if (kind := kind_of(name)) in LEASES:  # which nobody gives back: the new one would wait 15 s
            karmada.api.delete(path_of(LEASES[kind], kind))
        start(karmada.run, name)


def listens(ports: tuple[int, ...]) -> None:
    """Return when somebody accepts connections at each of these ports; NotYet names one at which nobody does."""
    for port in ports:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError as error:
            raise NotYet(f"port {port}: {error.strerror or error}") from error


@contextmanager
def evict_on_not_ready(karmada: Karmada) -> Iterator[None]:
    """Have Karmada evict what runs on a member that is not Ready: a ClusterTaintPolicy, there during the body.

    Since 1.14 no NoExecute taint comes by itself; a policy has to say so. Taints that it made stay when it is deleted, so it is
    deleted only when every member is Ready and rid of its taint.
    """
    policies = CustomObjectsApi(karmada.client())
    where = ("policy.karmada.io", "v1alpha1", "clustertaintpolicies")
    name = "evict-when-not-ready"
    states = {"conditionType": "Ready", "operator": "In"}
    policies.create_cluster_custom_object(
        *where,
        {
            "apiVersion": "policy.karmada.io/v1alpha1",
            "kind": "ClusterTaintPolicy",
            "metadata": {"name": name},
            "spec": {
                "targetClusters": {"clusterNames": [member.name for member in karmada.members]},
                "addOnConditions": [{**states, "statusValues": ["False", "Unknown"]}],
                "removeOnConditions": [{**states, "statusValues": ["True"]}],
                "taints": [{"key": TAINT, "effect": "NoExecute"}],
            },
        },
    )
    try:
        yield
        assert_recovered(karmada)
    finally:
        try:
            policies.delete_cluster_custom_object(*where, name)
        except ApiException as error:
            if error.status != 404:
                raise


@contextmanager
def taint_member(karmada: Karmada, member: str, key: str, effect: str) -> Iterator[None]:
    """Have a member tainted by hand during the body, as a person does: by `karmadactl taint`. Afterwards every member is well."""
    words = ("--kubeconfig", str(karmada.kubeconfig), "--karmada-context", karmada.cluster.context)
    karmadactl(karmada, "taint", "clusters", member, f"{key}=yes:{effect}", *words)
    try:
        yield
    finally:
        karmadactl(karmada, "taint", "clusters", member, f"{key}:{effect}-", *words)
        assert_recovered(karmada)


@contextmanager
def cordon_all(lab: Lab, member: str, namespace: str) -> Iterator[None]:
    """Have no pod of a namespace find a place on a member during the body: its nodes are cordoned, the pods there are deleted.

    The member itself is well; it is the application that is not. Afterwards its nodes take pods again.
    """
    core = CoreV1Api(lab.member(member).client())

    def cordon(on: bool) -> None:
        nodes: Any = core.list_node()
        for node in nodes.items:
            core.patch_node(node.metadata.name, {"spec": {"unschedulable": on}})

    cordon(True)
    try:
        core.delete_collection_namespaced_pod(namespace)
        yield
    finally:
        cordon(False)


def need_failover(karmada: Karmada, *gates: str) -> None:
    """Skip where Karmada was installed without the switches that failover needs, or without these gates (scenarios/lab.toml has them)."""
    manager = karmada.spec.settings("karmada-controller-manager")
    missing = [gate for gate in ("Failover", *gates) if not manager.feature_gates.get(gate)]
    if missing or "enable-no-execute-taint-eviction" not in manager.flags:
        pytest.skip(
            f"failover is off in this lab: karmada-controller-manager needs the gates {', '.join(('Failover', *gates))} "
            "and --enable-no-execute-taint-eviction"
        )


def condition(karmada: Karmada, member: str) -> str:
    """Return the status of a member's Ready condition: True, False or Unknown."""
    conditions = cluster(karmada, member).get("status", {}).get("conditions", [])
    return next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "not reported")


def taints(karmada: Karmada, member: str) -> list[tuple[str, str]]:
    """Return key and effect of a member's taints, sorted."""
    return sorted((taint["key"], taint["effect"]) for taint in cluster(karmada, member)["spec"].get("taints") or [])


def cluster(karmada: Karmada, member: str) -> Any:
    """Return a member's Cluster object."""
    return CustomObjectsApi(karmada.client()).get_cluster_custom_object("cluster.karmada.io", "v1alpha1", "clusters", member)


def assert_recovered(karmada: Karmada, *, within: float = 120.0) -> None:
    """Return when no fault is left: every member is Ready without a taint, and what conformance promises of members holds.

    Karmada's watches of a member that was away come back after a pause that doubles up to 30 s, so the promises get some time.
    """

    def healed() -> None:
        """every member is Ready and has no taint"""
        for member in karmada.members:
            assert condition(karmada, member.name) == "True", f"{member.name} is not Ready"
            assert taints(karmada, member.name) == [], f"{member.name} is tainted"

    def promised() -> None:
        """what conformance promises of members holds"""
        failed = conformance(karmada, among=MEMBERS).failed
        assert not failed, "; ".join(f"{each.name}: {each.evidence}" for each in failed)

    eventually(healed, within=within)
    eventually(promised, within=within)
