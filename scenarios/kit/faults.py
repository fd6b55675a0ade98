"""Faults that scenarios inject, how they are repaired, and the policies by which Karmada reacts to them."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from kubernetes.client import ApiException, CoreV1Api, CustomObjectsApi

from deployers.checks.conformance import MEMBERS, conformance
from deployers.karmada import Karmada
from deployers.members.karmadactl import karmadactl
from deployers.names import LEASES, kind_of_instance
from deployers.plane.leases import path_of
from lab.cluster import Lab
from lab.hollow import HOLLOW, drop_stale_leases, wait_managed
from lab.images.load import RECORD, list_nodes
from lab.machines.machine import Machine
from lab.program import Program
from lab.programs import read_definition
from lab.run import Run
from lab.supervisor.client import Supervisor
from lab.wait import NotYet
from scenarios.kit.waiting import eventually

TAINT = "lab.karmada.io/not-ready"


@contextmanager
def kill_program(run: Run, program: str) -> Iterator[None]:
    """Kill a program of the lab by SIGKILL, keep it stopped during the body, then start it and wait until it listens."""
    Supervisor(run.path).stop(program, kill=True)
    try:
        yield
    finally:
        start_program(run, program)


@contextmanager
def api_down(lab: Lab, member: str) -> Iterator[None]:
    """Make a member's kube-apiserver unreachable during the body: kill it, or block its port where it is a pod. Then recover the member.

    The recovery restarts the member's controllers, which otherwise back off for up to half a minute. Nodes stay NotReady until kwok
    renews their leases.
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
        supervisor.stop(kwok, kill=True)  # after SIGTERM it continues for seconds
        drop_stale_leases(api, lab.run, member)
        start_program(lab.run, kwok)
    for program in others:
        if program in status.programs:
            supervisor.restart(program, within=3.0)
    if kwok in status.programs:
        hollow = {node["metadata"]["name"] for node in api.items("/api/v1/nodes") if HOLLOW in node["metadata"].get("annotations", {})}
        wait_managed(api, member, hollow, within=60)


@contextmanager
def cut_off(machines: Sequence[Machine], port: int = 6443) -> Iterator[None]:
    """Make nodes refuse connections to their API server during the body, from outside and from inside, as a closed port does."""
    rule = ["INPUT", "--protocol", "tcp", "--destination-port", str(port), "--jump", "REJECT", "--reject-with", "tcp-reset"]
    for machine in machines:
        machine.run(["iptables", "--insert", *rule])
    try:
        yield
    finally:
        for machine in machines:
            machine.run(["iptables", "--delete", *rule])


@contextmanager
def pause_nodes(lab: Lab, member: str) -> Iterator[None]:
    """Pause the nodes of a member with all that runs on them during the body: connections neither succeed nor are refused."""
    containers = (lab.run.recorded(RECORD, member) or {})["containers"]
    lab.machine.run(["docker", "pause", *containers])
    try:
        yield
    finally:
        lab.machine.run(["docker", "unpause", *containers])


def start_program(run: Run, program: str, *, within: float = 60.0) -> None:
    """Start a stopped program as it was last started, and wait until it listens. Its restart count begins at 0."""
    start_again(run, read_definition(run, program), within=within)


def start_again(run: Run, program: Program, *, within: float = 60.0) -> None:
    """Start a program and wait until it listens."""
    supervisor = Supervisor(run.path)
    state = supervisor.start(program)
    supervisor.ready(program.name, lambda: check_ports(state.ports), within=within)


def restart_ended(karmada: Karmada) -> None:
    """Restart the programs of Karmada that ended during a fault, so that later tests see no restarts.

    On a busy computer controllers lose their lease and end when the API server is away for some seconds. etcd is restarted last.
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
        if (kind := kind_of_instance(name)) in LEASES:  # not released: the new process would wait 15 s
            karmada.api.delete(path_of(LEASES[kind], kind))
        start_program(karmada.run, name)


def check_ports(ports: tuple[int, ...]) -> None:
    """Return when all these ports accept connections. NotYet names a port that does not."""
    for port in ports:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError as error:
            raise NotYet(f"port {port}: {error.strerror or error}") from error


@contextmanager
def evict_on_not_ready(karmada: Karmada) -> Iterator[None]:
    """Create a ClusterTaintPolicy that evicts workloads from a member that is not Ready; delete it after the body.

    Since 1.14 Karmada adds a NoExecute taint only by such a policy. Taints outlive their policy, so it is deleted only when every
    member is Ready and has no taint.
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
    """Taint a member with `karmadactl taint` during the body, then remove the taint and wait until every member has recovered."""
    args = ("--kubeconfig", str(karmada.kubeconfig), "--karmada-context", karmada.cluster.context)
    karmadactl(karmada, "taint", "clusters", member, f"{key}=yes:{effect}", *args)
    try:
        yield
    finally:
        karmadactl(karmada, "taint", "clusters", member, f"{key}:{effect}-", *args)
        assert_recovered(karmada)


@contextmanager
def cordon_all(lab: Lab, member: str, namespace: str) -> Iterator[None]:
    """Cordon all nodes of a member and delete a namespace's pods there, so that none can be scheduled during the body; then uncordon.

    The member stays healthy; only the application is not.
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
    """Skip the test if Karmada was installed without failover or without these feature gates (scenarios/lab.toml sets them)."""
    manager = karmada.spec.settings("karmada-controller-manager")
    missing = [gate for gate in ("Failover", *gates) if not manager.feature_gates.get(gate)]
    if missing or "enable-no-execute-taint-eviction" not in manager.flags:
        pytest.skip(
            f"failover is off in this lab: karmada-controller-manager needs the gates {', '.join(('Failover', *gates))} "
            "and --enable-no-execute-taint-eviction"
        )


def ready_condition(karmada: Karmada, member: str) -> str:
    """Return the status of a member's Ready condition: True, False or Unknown."""
    conditions = cluster_object(karmada, member).get("status", {}).get("conditions", [])
    return next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "not reported")


def list_taints(karmada: Karmada, member: str) -> list[tuple[str, str]]:
    """Return key and effect of a member's taints, sorted."""
    return sorted((taint["key"], taint["effect"]) for taint in cluster_object(karmada, member)["spec"].get("taints") or [])


def cluster_object(karmada: Karmada, member: str) -> Any:
    """Return a member's Cluster object."""
    return CustomObjectsApi(karmada.client()).get_cluster_custom_object("cluster.karmada.io", "v1alpha1", "clusters", member)


def assert_recovered(karmada: Karmada, *, within: float = 120.0) -> None:
    """Wait until every member is Ready without a taint and the conformance checks of members pass.

    Karmada retries its watches of a member after a backoff that doubles up to 30 s, so the checks are repeated.
    """

    def healed() -> None:
        """every member is Ready and has no taint"""
        for member in karmada.members:
            assert ready_condition(karmada, member.name) == "True", f"{member.name} is not Ready"
            assert list_taints(karmada, member.name) == [], f"{member.name} is tainted"

    def passed() -> None:
        """the conformance checks of members pass"""
        failed = conformance(karmada, among=MEMBERS).failed
        assert not failed, "; ".join(f"{each.name}: {each.evidence}" for each in failed)

    eventually(healed, within=within)
    eventually(passed, within=within)
