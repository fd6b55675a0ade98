"""The operator: its API on a real API server, and the life of a Karmada that an object describes, with the faults that users will meet.

Planes are programs and the object is on the lab's host cluster, so no pod is needed. The operator is the process that users start.
"""

from __future__ import annotations

import base64
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deployers.karmada import Karmada
from deployers.members.registry import CLUSTERS
from deployers.operator.api import API_VERSION, GROUP
from deployers.operator.crds import make_crds
from deployers.operator.kube import PLURAL
from deployers.operator.planes import Plane
from lab import environment, proc
from lab.api import Api, Refused
from lab.cluster import Cluster
from lab.existing.claim import PATH as CLAIM
from lab.run import Run, runs_root
from lab.supervisor.client import Supervisor
from lab.take_down import take_down
from lab.wait import NotYet, until
from scenarios.kit.extra_members import spare_cluster

Json = dict[str, Any]
pytestmark = [pytest.mark.needs("MACHINES"), pytest.mark.xdist_group("spare")]
CRD = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{PLURAL}.{GROUP}"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/karmada-lab-operator"
SMALL = {"release": "1.18.2", "install": {"mode": "Binary"}}


@pytest.fixture(scope="module")
def host(karmada: Karmada) -> Iterator[Api]:
    """The API server of the lab's host cluster, with the operator's API."""
    api = karmada.lab.host.api
    for crd in make_crds():
        api.apply(crd, fieldValidation="Strict")
        api.until(CRD, is_established, what="the API of the operator is served", within=60.0)
    try:
        yield api
    finally:
        api.delete(CRD)
        api.until_gone(CRD, what="the API of the operator is gone", within=60.0)


def is_established(item: Json) -> str | None:
    found = {each["type"]: each["status"] for each in (item.get("status") or {}).get("conditions") or []}
    wrong = found.get("NonStructuralSchema") == "True" or found.get("Established") != "True"
    return f"conditions are {found}" if wrong else None


@pytest.fixture
def namespace(host: Api) -> Iterator[str]:
    name = f"operator-{secrets.token_hex(3)}"
    host.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        for item in host.items(f"/apis/{API_VERSION}/namespaces/{name}/{PLURAL}"):
            host.patch(f"/apis/{API_VERSION}/namespaces/{name}/{PLURAL}/{item['metadata']['name']}", {"metadata": {"finalizers": []}})
        host.delete(f"/api/v1/namespaces/{name}")


def make_object(namespace: str, spec: Json, name: str = "prod") -> Json:
    return {"apiVersion": API_VERSION, "kind": "KarmadaDeployment", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


# -- the API -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "noun"),
    [
        ({}, {"install": {"mode": "Pods"}}, "Pods"),
        ({}, {"install": {"mode": "Binary", "pods": {"deployer": "ByYaml", "hostKubeconfigSecretRef": {"name": "h"}}}}, "Pods"),
        ({}, {"endpoint": {"type": "Managed"}}, "managed"),
        (
            {},
            {"components": [{"name": "etcd", "featureGates": {"A": True}, "args": [{"name": "feature-gates", "value": "A=true"}]}]},
            "twice",
        ),
        ({}, {"components": [{"name": "etcd"}, {"name": "etcd"}]}, "Duplicate"),
        ({}, {"memberPolicy": {"whenUnreachable": "ForceAfter"}}, "forceAfter"),
        ({}, {"release": "latest"}, "release"),
        ({}, {"nonsense": 1}, "nonsense"),
        (
            {"etcd": {"local": {}}},
            {"etcd": {"local": None, "external": {"endpoints": ["https://x:1"], "tlsSecretRef": {"name": "e"}}}},
            "moved",
        ),
    ],
)
def test_the_api_server_itself_refuses(host: Api, namespace: str, before: Json, after: Json, noun: str) -> None:
    item = make_object(namespace, {**SMALL, **before})
    host.create(item, fieldValidation="Strict")

    with pytest.raises(Refused, match=noun):
        host.request(
            "PATCH", host.path_of(item), body={"spec": after}, content_type="application/merge-patch+json", fieldValidation="Strict"
        )


def test_two_managers_own_members_of_one_object(host: Api, namespace: str) -> None:
    """A list by name: each manager applies its own member, and takes away no other's."""
    for manager, member in (("one", "east"), ("other", "west")):
        spec = {**SMALL, "members": [{"name": member, "kubeconfigSecretRef": {"name": member}}]}
        host.request(
            "PATCH",
            host.path_of(make_object(namespace, {})),
            body=make_object(namespace, spec),
            content_type="application/apply-patch+yaml",
            fieldManager=manager,
        )
    found = host.get(host.path_of(make_object(namespace, {})))["spec"]

    assert {member["name"]: member["mode"] for member in found["members"]} == {"east": "Push", "west": "Push"}
    assert (found["deletionPolicy"], found["paused"]) == ("Delete", False)


def test_the_api_explains_itself(host: Api) -> None:
    schema = host.get(f"/openapi/v3/apis/{API_VERSION}")["components"]["schemas"]
    (kind,) = [each for name, each in schema.items() if name.endswith(".KarmadaDeployment")]

    assert "Karmada" in kind["properties"]["spec"]["description"]
    assert all("description" in each for each in kind["properties"]["spec"]["properties"].values())


# -- the operator --------------------------------------------------------------------------------------------------------


@dataclass
class RunningOperator:
    """Operators as users start them, and the object that a test works with."""

    api: Api
    kubeconfig: Path
    namespace: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/apis/{API_VERSION}/namespaces/{self.namespace}/{PLURAL}/prod"

    @property
    def plane(self) -> Plane:
        cluster = self.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
        return Plane.of(cluster, self.namespace, "prod")

    def start(self) -> subprocess.Popen[bytes]:
        """Start an operator for the namespace."""
        argv = [sys.executable, "-m", "karmada_lab", "operator", "run", "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace]
        process = subprocess.Popen(argv, env={**environment.inherit_all(), "KARMADA_LAB_RUNS": str(runs_root())}, start_new_session=True)
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            process.wait(timeout=60)

    def give_secret(self, name: str, cluster: Cluster) -> None:
        data = {"kubeconfig": base64.b64encode(cluster.kubeconfig.read_bytes()).decode()}
        self.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.namespace}, "data": data})

    def change(self, **spec: Any) -> None:
        self.api.patch(self.path, {"spec": spec})

    def condition(self, kind: str) -> str:
        status = self.api.get(self.path).get("status") or {}
        return next(
            (f"{each['status']} {each['reason']}: {each['message']}" for each in status.get("conditions", []) if each["type"] == kind), ""
        )

    def wait(self, kind: str, begins: str, *, within: float = 240.0) -> None:
        """Wait until a condition of the current generation begins so."""

        def met(item: Json) -> str | None:
            status = item.get("status") or {}
            found = [each for each in status.get("conditions", []) if each["type"] == kind]
            if found and f"{found[0]['status']} {found[0]['reason']}".startswith(begins):
                current = found[0]["observedGeneration"] == item["metadata"]["generation"]
                return None if current else "of an earlier generation"
            return str(found)

        self.api.until(self.path, met, what=f"{kind} is {begins}", within=within)

    def events(self) -> list[str]:
        items = self.api.items(f"/api/v1/namespaces/{self.namespace}/events")
        return [item["reason"] for item in sorted(items, key=lambda item: item["metadata"]["creationTimestamp"])]


@contextmanager
def running_operator(host: Api, karmada: Karmada, namespace: str) -> Iterator[RunningOperator]:
    made = RunningOperator(host, karmada.lab.host.kubeconfig, namespace)
    try:
        yield made
    finally:
        made.stop()
        if run := made.plane.find_run():
            take_down(run)
        made.plane.forget()
        host.delete(LEASE)


def wait_true(holds: Callable[[], bool], what: str, *, within: float = 120.0) -> None:
    def probe() -> None:
        if not holds():
            raise NotYet("not yet")

    until(probe, what=what, within=within)


def workers_of(plane: Plane) -> list[int]:
    """Return the processes that do an operation of a plane."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if b"deployers.operator.work" in line and plane.lab.encode() in line:
            found.append(int(path.parent.name))
    return found


@pytest.mark.thorough
def test_an_object_becomes_a_karmada_and_goes_without_a_trace(host: Api, karmada: Karmada, namespace: str) -> None:
    """Installed, a member joins when its Secret comes, nothing is written while nothing differs, drift is repaired, paused, removed."""
    with spare_cluster(karmada) as spare, running_operator(host, karmada, namespace) as operator:
        operator.start()
        host.create(make_object(namespace, {**SMALL, "members": [{"name": "east", "kubeconfigSecretRef": {"name": "east"}}]}))
        operator.wait("MembersReady", "False SecretMissing")
        operator.wait("UpToDate", "True AsWanted")
        operator.give_secret("east", spare)
        operator.wait("Ready", "True")
        run = operator.plane.find_run()
        assert run is not None
        plane_api = Api.open(run.kubeconfig("karmada"))
        assert [item["metadata"]["name"] for item in plane_api.items(CLUSTERS)] == ["east"]

        # nothing differs: a new operator looks at everything and writes nothing
        before = host.get(operator.path)["metadata"]["resourceVersion"]
        operator.stop()
        operator.start()
        wait_true(lambda: bool(host.find(LEASE)["spec"]["holderIdentity"]), "the new operator leads")  # type: ignore[index]
        host.patch(operator.path, {"metadata": {"labels": {"looked-at": "again"}}})
        changed = host.get(operator.path)["metadata"]["resourceVersion"]
        time.sleep(5)
        assert changed != before
        assert host.get(operator.path)["metadata"]["resourceVersion"] == changed
        assert operator.condition("Ready").startswith("True")

        # drift: the member's registration is deleted behind the operator's back
        plane_api.delete(f"{CLUSTERS}/east")
        operator.wait("MembersReady", "False")
        operator.wait("Ready", "True")

        # paused: an edit waits, and says what for
        operator.change(paused=True, components=[{"name": "karmada-scheduler", "args": [{"name": "v", "value": "5"}]}])
        operator.wait("Paused", "True")
        assert "settings differ" in operator.condition("Paused")
        operator.change(paused=False)
        operator.wait("UpToDate", "True AsWanted")
        wait_true(lambda: "--v=5" in argv_of(run, "karmada/karmada-scheduler"), "the scheduler has its flag")

        # removed: the member is as it was, nothing of the plane is left
        operator.api.delete(operator.path)
        host.until_gone(operator.path, what="the object is gone", within=240.0)
        assert not (runs_root() / operator.plane.lab).exists()
        assert spare.api.find(CLAIM) is None
        assert spare.api.find("/api/v1/namespaces/karmada-cluster") is None
        assert {"InstallSucceeded", "JoinSucceeded", "ChangeSucceeded", "RemoveStarted"} <= set(operator.events())


def argv_of(run: Run, program: str) -> str:
    status = Supervisor(run.path).status()
    pid = status.programs[program].pid if status and program in status.programs else None
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() if pid else ""


@pytest.mark.thorough
def test_a_killed_operator_is_followed_by_one_that_goes_on(host: Api, karmada: Karmada, namespace: str) -> None:
    """kill -9 in the middle of the installation: its worker dies with it, and the next operator completes what it finds."""
    with running_operator(host, karmada, namespace) as operator:
        first = operator.start()
        host.create(make_object(namespace, SMALL))
        wait_true(lambda: len(workers_of(operator.plane)) == 1, "an operation runs")
        wait_true(lambda: operator.plane.find_run() is not None, "the lab is begun")
        first.kill()
        wait_true(lambda: workers_of(operator.plane) == [], "the operation ended with its operator", within=30.0)

        operator.start()
        operator.wait("Ready", "True", within=300.0)
        assert len(workers_of(operator.plane)) == 0
        operator.api.delete(operator.path)
        host.until_gone(operator.path, what="the object is gone", within=240.0)
        assert not (runs_root() / operator.plane.lab).exists()


@pytest.mark.thorough
def test_a_leader_that_is_stopped_does_not_act_when_it_comes_back(host: Api, karmada: Karmada, namespace: str) -> None:
    """SIGSTOP the leader for longer than its Lease: another one takes over, and of both only one ever works on the plane."""
    with running_operator(host, karmada, namespace) as operator:
        first = operator.start()
        wait_true(lambda: host.find(LEASE) is not None, "one leads")
        holder = host.get(LEASE)["spec"]["holderIdentity"]
        host.create(make_object(namespace, SMALL))
        wait_true(lambda: len(workers_of(operator.plane)) == 1, "an operation runs")
        started = proc.read_start_time(workers_of(operator.plane)[0])
        second = operator.start()
        first.send_signal(signal.SIGSTOP)
        wait_true(lambda: host.get(LEASE)["spec"]["holderIdentity"] != holder, "another one leads", within=90.0)
        assert all(proc.read_start_time(pid) != started for pid in workers_of(operator.plane)), "the operation of the first one has ended"
        first.send_signal(signal.SIGCONT)
        operator.wait("Ready", "True", within=300.0)
        assert host.get(LEASE)["spec"]["holderIdentity"] != holder
        assert (first.poll(), second.poll()) == (None, None)
