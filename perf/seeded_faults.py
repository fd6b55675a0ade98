"""Twenty faults of a lab, each injected alone, with the subject that a diagnosis has to name first.

Every fault is repaired at the end of its context, so that one lab serves for all of them. They are injected into the benchmark's own lab
only.
"""

from __future__ import annotations

import base64
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from deployers.etcd.client import EtcdClient
from deployers.karmada import Karmada
from deployers.members.registry import CLUSTERS
from lab.diagnosis.diagnose import diagnose
from lab.program import Program
from lab.programs import read_definition
from lab.run import Run
from lab.status.lab_status import lab_status
from lab.supervisor.client import Supervisor
from lab.wait import NotYet, until

Json = dict[str, Any]
MEMBER = "member1"


@dataclass(frozen=True)
class SeededFault:
    """One fault. `inject` makes it during a context, given Karmada and the namespace of the attempt that has to fail.

    `subjects`: the diagnosis names the cause when its first line holds all of them.
    """

    name: str
    subjects: tuple[str, ...]
    inject: Callable[[Karmada, str], AbstractContextManager[None]]


@contextmanager
def stop_program(karmada: Karmada, namespace: str, *, name: str) -> Iterator[None]:  # noqa: ARG001
    """Stop a program, and start it at the end."""
    supervisor, program = Supervisor(karmada.run.path), read_definition(karmada.run, name)
    supervisor.stop(name)
    try:
        yield
    finally:
        start_program(supervisor, program)


def start_program(supervisor: Supervisor, program: Program) -> None:
    """Start a program and let the supervisor restart it when it crashes."""
    supervisor.start(program, replace=True)
    supervisor.settle(program.name)


def wait_serving(run: Run, *, within: float = 120.0) -> None:
    """Return when all of a lab serves again, by `lab status`. NotReady names what does not."""

    def require() -> None:
        if wrong := lab_status(run).wrong:
            raise NotYet(wrong[0])

    until(require, what="the lab serves", within=within, every=1.0)


def wait_healthy(run: Run, *, within: float = 120.0) -> None:
    """Return when every source of a diagnosis answers and none finds a cause. NotReady names what stays."""

    def require() -> None:
        found = diagnose(run)
        if wrong := [*(cause.text for cause in found.causes), *(f"{source} did not answer" for source in found.unanswered)]:
            raise NotYet(wrong[0])

    until(require, what="the lab is healthy", within=within, every=1.0)


@contextmanager
def pause_program(karmada: Karmada, namespace: str, *, name: str) -> Iterator[None]:  # noqa: ARG001
    """Pause a program by SIGSTOP, and continue it at the end."""
    supervisor = Supervisor(karmada.run.path)
    supervisor.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        supervisor.signal(name, signal.SIGCONT)


@contextmanager
def run_changed(run: Run, name: str, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Iterator[None]:
    """Run a program with changed arguments, and as before at the end."""
    supervisor, program = Supervisor(run.path), read_definition(run, name)
    supervisor.stop(name)
    start_program(supervisor, replace(program, argv=change(program.argv)))
    try:
        yield
    finally:
        supervisor.stop(name)
        start_program(supervisor, program)


def break_flags(karmada: Karmada, namespace: str, *, name: str, flag: str) -> AbstractContextManager[None]:  # noqa: ARG001
    """Run a program with a flag that it does not know: it ends at once, and is started again with back-off."""
    return run_changed(karmada.run, name, lambda argv: (*argv, flag))


def break_kubeconfig(karmada: Karmada, namespace: str, *, name: str) -> AbstractContextManager[None]:  # noqa: ARG001
    """Run a program with a kubeconfig file that does not exist."""
    missing = "--kubeconfig=/nonexistent"
    return run_changed(karmada.run, name, lambda argv: tuple(missing if word.startswith("--kubeconfig=") else word for word in argv))


@contextmanager
def delete_object(karmada: Karmada, namespace: str, *, path: str, member: str = "") -> Iterator[None]:  # noqa: ARG001
    """Delete an object of Karmada's API or a member's, and create it again at the end."""
    api = karmada.lab.member(member).api if member else karmada.api
    found = api.get(path)
    api.delete(path)
    try:
        yield
    finally:
        for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"):
            found["metadata"].pop(key, None)
        if api.find(path) is None:
            api.create(found)


@contextmanager
def forbid_pods(karmada: Karmada, namespace: str) -> Iterator[None]:
    """Allow no pod in the attempt's namespace of every member by a ResourceQuota."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-pods", "namespace": namespace}}
    for member in karmada.members:
        until(partial(require_namespace, member.api, namespace), what=f"namespace {namespace} is on {member.name}", within=60.0)
        member.api.create({**quota, "spec": {"hard": {"pods": "0"}}})
    yield


def require_namespace(api: Any, namespace: str) -> None:
    """Return when a namespace exists; NotYet otherwise."""
    if api.find(f"/api/v1/namespaces/{namespace}") is None:
        raise NotYet("not there yet")


@contextmanager
def cordon_nodes(karmada: Karmada, namespace: str) -> Iterator[None]:  # noqa: ARG001
    """Make every node of the member unschedulable."""
    api = karmada.lab.member(MEMBER).api
    nodes = [f"/api/v1/nodes/{item['metadata']['name']}" for item in api.items("/api/v1/nodes")]
    for path in nodes:
        api.patch(path, {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        for path in nodes:
            api.patch(path, {"spec": {"unschedulable": None}})


@contextmanager
def misname_member(karmada: Karmada, namespace: str) -> Iterator[None]:
    """Make the attempt's policy name a member that does not exist."""
    path = f"/apis/policy.karmada.io/v1alpha1/namespaces/{namespace}/propagationpolicies/attempt"
    placement = {"clusterAffinity": {"clusterNames": ["member-9"]}}
    karmada.api.patch(path, {"spec": {"placement": placement}})
    yield


@contextmanager
def shrink_store(karmada: Karmada, namespace: str) -> Iterator[None]:  # noqa: ARG001
    """Run Karmada's etcd with a quota that it exceeds, so that it raises the alarm NOSPACE on the next write; disarm it at the end."""
    with run_changed(karmada.run, "karmada/etcd", lambda argv: (*argv, "--quota-backend-bytes=65536")):
        yield
    EtcdClient.of(karmada).ctl("alarm", "disarm")


@contextmanager
def break_secret(karmada: Karmada, namespace: str) -> Iterator[None]:  # noqa: ARG001
    """Replace the token by which Karmada reaches a member with one that the member does not know."""
    reference = karmada.api.get(f"{CLUSTERS}/{MEMBER}")["spec"]["secretRef"]
    path = f"/api/v1/namespaces/{reference['namespace']}/secrets/{reference['name']}"
    token = karmada.api.get(path)["data"]["token"]
    karmada.api.patch(path, {"data": {"token": base64.b64encode(b"unknown-token").decode()}})
    try:
        yield
    finally:
        karmada.api.patch(path, {"data": {"token": token}})


HOOKS = "/apis/admissionregistration.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
FAULTS = (
    *(
        SeededFault(f"{name} stopped", (name, "stopped"), partial(stop_program, name=name))
        for name in (
            "karmada/karmada-scheduler",
            "karmada/karmada-webhook",
            "karmada/karmada-apiserver",
            "karmada/karmada-aggregated-apiserver",
            f"{MEMBER}/kube-scheduler",
            f"{MEMBER}/kube-apiserver",
        )
    ),
    *(
        SeededFault(f"{name} paused", (name, "paused"), partial(pause_program, name=name))
        for name in (
            "karmada/karmada-controller-manager",
            "karmada/kube-controller-manager",
            "karmada/etcd",
            f"{MEMBER}/kwok",
            f"{MEMBER}/kube-controller-manager",
            f"{MEMBER}/etcd",
        )
    ),
    SeededFault(
        "unknown flag",
        ("karmada/karmada-scheduler", "unknown flag"),
        partial(break_flags, name="karmada/karmada-scheduler", flag="--no-such-flag"),
    ),
    SeededFault(
        "kubeconfig missing",
        ("karmada/karmada-controller-manager", "/nonexistent"),
        partial(break_kubeconfig, name="karmada/karmada-controller-manager"),
    ),
    SeededFault("etcd out of space", ("karmada/etcd", "NOSPACE"), shrink_store),
    SeededFault(
        "webhook configuration deleted",
        ("mutatingwebhookconfigurations/mutating-config",),
        partial(delete_object, path=f"{HOOKS}/mutatingwebhookconfigurations/mutating-config"),
    ),
    SeededFault(
        "rights on the member deleted",
        (MEMBER,),
        partial(delete_object, path=f"{RBAC}/clusterrolebindings/karmada-controller-manager:karmada-{MEMBER}", member=MEMBER),
    ),
    SeededFault("quota of no pods", ("quota",), forbid_pods),
    SeededFault("nodes cordoned", (MEMBER, "unschedulable"), cordon_nodes),
    SeededFault("policy of an unknown member", ("member-9",), misname_member),
    SeededFault("token of the member replaced", (MEMBER,), break_secret),
)
