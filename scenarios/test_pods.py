"""Real pods: logs and exec through Karmada, and a Service that answers before and after the pods move.

Everything here goes through Karmada alone: the template, the policy, and the proxy by which its API reaches into a member.
"""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes.client import CoreV1Api

from deployers.karmada import Karmada
from deployers.members.karmadactl import karmadactl
from lab.images.applications import NEWER, PORT
from lab.images.load import list_nodes
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workload, Workloads, duplicate_on, expose

pytestmark = pytest.mark.needs("PODS")


def list_pods(karmada: Karmada, member: str, web: Workload) -> list[str]:
    """Return the names of a workload's pods on a member, without terminating ones."""
    found: Any = CoreV1Api(karmada.lab.member(member).client()).list_namespaced_pod(web.namespace, label_selector=f"app={web.name}")
    return sorted(pod.metadata.name for pod in found.items if pod.metadata.deletion_timestamp is None)


def run_karmadactl(karmada: Karmada, verb: str, member: str, web: Workload, *args: str) -> str:
    """Run a karmadactl command for a member's workload through Karmada's API, and return its output."""
    to: tuple[str, ...] = ("--kubeconfig", str(karmada.kubeconfig), "--cluster", member, "--namespace", web.namespace)
    if verb == "exec":
        to = (*to, "--operation-scope", "members")  # logs asks members only
    return karmadactl(karmada, verb, *to, *args).stdout


def test_logs_and_exec_reach_into_a_member(karmada: Karmada, workload: Workloads) -> None:
    web = workload(replicas=1, placement=duplicate_on("member1"))
    assert web.until_ready() == {"member1": 1}
    (pod,) = list_pods(karmada, "member1", web)

    assert run_karmadactl(karmada, "exec", "member1", web, pod, "--", "hostname").strip() == pod
    served = run_karmadactl(karmada, "exec", "member1", web, pod, "--", "wget", "-q", "-O", "-", f"http://127.0.0.1:{PORT}/hostname")
    assert served.strip() == pod

    def check_log() -> None:
        """the pod's log has the last request"""
        assert "response:200" in run_karmadactl(karmada, "logs", "member1", web, pod)

    eventually(check_log, within=20)


def test_a_service_answers_on_each_member_with_its_own_pods(karmada: Karmada, workload: Workloads) -> None:
    web = workload(replicas=2, placement=duplicate_on("member1", "member2"))
    expose(web, "member1", "member2", port=80, target=PORT)
    assert web.until_ready() == {"member1": 2, "member2": 2}

    for member in ("member1", "member2"):
        mine = list_pods(karmada, member, web)

        def answered(member: str = member, mine: list[str] = mine) -> None:
            """the Service's name resolves in the member and all its pods answer"""
            url = f"http://{web.name}.{web.namespace}.svc.cluster.local/hostname"
            # The member's DNS learns of a Service a moment later: a question without an answer is asked again, and is no failed command.
            ask = f"for i in 1 2 3 4 5 6 7 8 9 10 11 12; do timeout 3 wget -q -O - {url} || break; done"
            said = run_karmadactl(karmada, "exec", member, web, mine[0], "--", "sh", "-c", ask)
            assert sorted(set(said.split())) == mine, member

        eventually(answered, within=60)


def test_pods_of_several_real_nodes_answer_each_other(karmada: Karmada, workload: Workloads) -> None:
    member = next((each.name for each in karmada.lab.spec.members if each.workers), None)
    if member is None:
        pytest.skip("no member has workers: deployers/examples/real-nodes.toml has")
    web = workload(replicas=6, placement=duplicate_on(member))
    expose(web, member, port=80, target=PORT)
    assert web.until_ready() == {member: 6}

    found: Any = CoreV1Api(karmada.lab.member(member).client()).list_namespaced_pod(web.namespace, label_selector=f"app={web.name}")
    one_of = {pod.spec.node_name: pod.metadata.name for pod in found.items}
    real = {node.name for node in list_nodes(karmada.lab, karmada.lab.member(member))}
    assert one_of.keys() == real, "every real node runs some, and no hollow one"

    for pod in one_of.values():

        def answered(pod: str = pod) -> None:
            """pods on all nodes answer requests to the Service"""
            url = f"http://{web.name}.{web.namespace}.svc.cluster.local/hostname"
            ask = f"for i in {' '.join(map(str, range(40)))}; do timeout 3 wget -q -O - {url} || break; done"
            said = run_karmadactl(karmada, "exec", member, web, pod, "--", "sh", "-c", ask)
            assert sorted(set(said.split())) == list_pods(karmada, member, web)

        eventually(answered, within=60)


def test_a_new_version_is_what_answers_after_the_rollout(karmada: Karmada, workload: Workloads) -> None:
    web = workload(replicas=1, placement=duplicate_on("member1"))
    web.until_ready()
    web.change({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": NEWER}]}}}})

    def check_rolled_out() -> None:
        """the only remaining pod runs the new version"""
        left = list_pods(karmada, "member1", web)
        assert len(left) == 1
        (pod,) = left
        version = run_karmadactl(karmada, "exec", "member1", web, pod, "--", "wget", "-q", "-O", "-", f"http://127.0.0.1:{PORT}/version")
        assert version.strip() == "2"

    eventually(check_rolled_out, within=90)
