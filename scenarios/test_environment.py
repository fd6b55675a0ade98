"""Proxies, KUBECONFIG and other variables of the caller do not change how a lab is reached."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import CoreV1Api
from kubernetes.stream import stream

from deployers.karmada import Karmada
from deployers.members.karmadactl import karmadactl, to_karmada
from lab.cluster import Lab
from lab.environment import inherit_all
from lab.images.load import list_nodes
from lab.run import Run
from lab.supervisor.client import Supervisor
from scenarios.kit.hostile_environment import HOSTILE, PROXIES
from scenarios.kit.workload import Workloads, duplicate_on


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)


def run_in_lab(run: Run, *argv: str) -> str:
    """Run a command by `lab exec` in this environment and return its output; assert status 0."""
    env = {**inherit_all(), "KARMADA_LAB_RUNS": str(run.path.parent)}
    command = [sys.executable, "-m", "lab", "exec", "--lab", run.id, "--", *argv]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def list_namespaces(run: Run, context: str) -> set[str]:
    """Return the namespaces that kubectl lists in the environment of a lab."""
    found = json.loads(run_in_lab(run, "kubectl", "--context", context, "get", "namespaces", "-o", "json"))
    return {each["metadata"]["name"] for each in found["items"]}


@pytest.mark.usefixtures("hostile")
def test_clients_of_every_cluster_reach_it(lab: Lab) -> None:
    for cluster in lab.clusters:
        assert CoreV1Api(cluster.client()).list_namespace().items


@pytest.mark.usefixtures("hostile")
def test_a_command_in_the_environment_of_a_lab_reaches_it(lab: Lab) -> None:
    for cluster in lab.clusters:
        assert "kube-system" in list_namespaces(lab.run, cluster.context)
    assert run_in_lab(lab.run, "printenv", "HTTPS_PROXY").strip() == HOSTILE["HTTPS_PROXY"]  # the rest is the user's
    assert run_in_lab(lab.run, "printenv", "NO_PROXY").startswith("example.test,")


@pytest.mark.usefixtures("hostile")
def test_the_control_plane_is_reached(karmada: Karmada) -> None:
    assert CoreV1Api(karmada.client()).list_namespace().items
    assert "default" in list_namespaces(karmada.run, karmada.cluster.context)
    karmadactl(karmada, "token", "list", *to_karmada(karmada))


def test_programs_of_a_lab_have_no_variable_of_the_caller(lab: Lab) -> None:
    status = Supervisor(lab.run.path).status()
    assert status
    for name, state in status.programs.items():
        if state.pid is not None:
            env = dict(entry.partition("=")[::2] for entry in Path(f"/proc/{state.pid}/environ").read_text().split("\0") if entry)
            assert not {*PROXIES, "KUBECONFIG", "GOFLAGS", "GODEBUG", "LC_ALL"} & env.keys(), name


@pytest.mark.needs("PODS")
@pytest.mark.usefixtures("hostile")
def test_a_web_socket_into_a_pod_goes_through_no_proxy(karmada: Karmada, workload: Workloads) -> None:
    web = workload(replicas=1, placement=duplicate_on("member1"))
    assert web.until_ready() == {"member1": 1}
    core = CoreV1Api(karmada.lab.member("member1").client())
    found: Any = core.list_namespaced_pod(web.namespace, label_selector=f"app={web.name}")
    name = found.items[0].metadata.name

    said = stream(core.connect_get_namespaced_pod_exec, name, web.namespace, command=["hostname"], stdout=True, stderr=True)

    assert said.strip() == name


@pytest.mark.needs("PODS")
def test_nodes_have_no_proxy(lab: Lab) -> None:
    for cluster in lab.clusters:
        for node in list_nodes(lab, cluster):
            names = {line.partition("=")[0].upper() for line in node.run(["env"]).stdout.splitlines()}
            assert not names & {name.upper() for name in PROXIES}
            assert "PROXY" not in node.run(["cat", "/proc/1/environ"]).stdout.upper()
            assert "PROXY" not in node.run(["systemctl", "show", "--property=Environment", "containerd", "kubelet"]).stdout.upper()
