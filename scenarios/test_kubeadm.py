"""kubeadm turns machines into a cluster that runs pods; a second run changes nothing; a reset restores each machine."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from deployers.release import make_supply
from lab import docker
from lab.api import Api
from lab.cluster import Cluster
from lab.computer import Computer
from lab.errors import NotPossible
from lab.factories.containers import machine_steps
from lab.images import applications
from lab.images.machine import SOFTWARE, build_machine_image
from lab.kubeadm import paths
from lab.kubeadm.cluster import MachineCluster
from lab.kubeadm.files import NodeFiles, collect_files, list_software
from lab.kubeadm.reset import reset_node
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.machines.record import read_machines
from lab.machines.registry import open_machine
from lab.run import Run
from lab.steps import Step, execute
from lab.wait import NotYet, until
from scenarios.kit.machines import open_run

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("kubeadm")]
VERSION = "1.35.4"
NAMES = ["machine1", "machine2"]
NODE_PORT = 30080
FOREIGN_ROUTE = "ip route add 10.250.7.0/24 via $(ip route show default | cut -d' ' -f3)"
"""Give a machine a route that its user needs, to addresses that are like those of pods."""
SNAPSHOT = """
find /etc /opt /usr /var/lib /var/log -xdev ! -path '/var/log/*journal*' ! -path '/var/log/karmada-lab*' ! -name '*random-seed' \
    ! -path '/var/lib/systemd/*' -printf 'file %p %m %l\\n'
find /run -xdev ! -path '/run/systemd/*' ! -path '/run/log/*' ! -path '/run/utmp' ! -path '/run/xtables.lock' -printf 'file %p\\n'
cut -d' ' -f5 /proc/self/mountinfo | sed 's/^/mount /'
(iptables-save; ip6tables-save) 2>/dev/null | grep '^-' | sed 's/^/rule /'
ip -oneline link show | cut -d: -f2 | sed 's/^/link /'
ip route show | sed 's/^/route /'
find /sys/fs/cgroup -type d -path '*kube*' | sed 's/^/cgroup /'
ps -eo comm= | grep -v -E '^(sh|find|ps|sed|sort|cut|grep|docker-init)$' | sed 's/^/process /'
sysctl net.ipv4.ip_forward
"""


@dataclass(frozen=True)
class MadeCluster:
    """A cluster on two machines, and snapshots of the machines before."""

    run: Run
    steps: list[Step]
    cluster: Cluster
    before: dict[str, set[str]]

    def machine(self, name: str) -> Machine:
        return open_machine(self.run, name)


def read_snapshot(machine: Machine) -> set[str]:
    """Return the files, mounts, rules, links, routes, cgroups and processes of a machine, one line each."""
    return set(machine.run(["sh", "-s"], input=f"({SNAPSHOT}) 2>/dev/null | sort -u; exit 0").stdout.splitlines())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeCluster]:
    if why := docker.find_docker_error(Computer()):
        pytest.skip(f"unknown: {why}")
    found = make_supply().resolve([*list_software(VERSION), *SOFTWARE])
    software = {ref.name if ref.name in SOFTWARE else str(ref): path for ref, path in found.items()}
    with open_run(tmp_path_factory.mktemp("runs") / f"kubeadm-{secrets.token_hex(2)}") as run:
        engine = Local(run.path)
        execute(machine_steps(run, NAMES, image=lambda: build_machine_image(engine, software)), run)
        for name in NAMES:
            open_machine(run, name).run(["sh", "-c", FOREIGN_ROUTE])
        before = {name: read_snapshot(open_machine(run, name)) for name in NAMES}
        brought: list[NodeFiles] = []
        cluster = Cluster("host", "karmada-host", run.kubeconfig("host"))
        parts = MachineCluster(
            run=run,
            cluster=cluster,
            version=VERSION,
            number=0,
            control_planes=NAMES[:1],
            workers=NAMES[1:],
            open=partial(open_machine, run),
            address=lambda name: read_machines(run)[name].address,
            files=lambda: brought[-1],
        )
        files = Step("files", lambda: brought.append(collect_files(engine, VERSION, software)))
        steps = [files, *parts.steps(files=files.name)]
        execute(steps, run)
        yield MadeCluster(run, steps, cluster, before)


def make_objects() -> list[dict[str, Any]]:
    """Return a Deployment with a pod on each node, and its Service."""
    labels = {"app": "web"}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
    }
    pod = {
        "tolerations": [{"operator": "Exists"}],
        "topologySpreadConstraints": [spread],
        "containers": [{"name": "web", "image": applications.WEB, "imagePullPolicy": "Never"}],
    }
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    ports = [{"port": 80, "targetPort": applications.PORT, "nodePort": NODE_PORT}]
    head = {"name": "web", "namespace": "default"}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": head, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": head, "spec": {"type": "NodePort", "selector": labels, "ports": ports}},
    ]


def read_answers(address: str) -> set[str]:
    """Return the names of the pods that answer at the node port of an address."""
    answers = set()
    for _ in range(12):
        with httpx.Client(trust_env=False, timeout=3) as client:  # a new connection each time: another pod may answer
            answers.add(client.get(f"http://{address}:{NODE_PORT}/hostname").text.strip())
    return answers


def test_pods_run_on_both_machines_and_are_reached_through_each(made: MadeCluster) -> None:
    api: Api = made.cluster.api
    for manifest in make_objects():
        api.create(manifest)

    def check_running() -> dict[str, str]:
        pods = api.items("/api/v1/namespaces/default/pods")
        if waiting := [pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") != "Running"] or (len(pods) < 2 and ["a pod"]):
            raise NotYet(f"waiting for {', '.join(waiting)}")
        return {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in pods}

    pods = until(check_running, what="both pods run", within=90.0)
    assert set(pods.values()) == set(NAMES)
    for name in NAMES:

        def check_answers(address: str = read_machines(made.run)[name].address) -> None:
            try:
                answers = read_answers(address)
            except httpx.HTTPError as error:
                raise NotYet(str(error)) from error
            if answers != set(pods):
                raise NotYet(f"{answers} answer")

        until(check_answers, what=f"both pods answer through {name}", within=60.0)


def test_a_second_time_changes_nothing(made: MadeCluster) -> None:
    def read_state() -> list[object]:
        units = [paths.CONTAINERD, paths.KUBELET]
        pids = [made.machine(name).run(["systemctl", "show", "--property", "MainPID", *units]).stdout for name in NAMES]
        times = [made.machine(name).run(["stat", "-c", "%Y", paths.JOINED, f"{paths.BIN}/kubelet"]).stdout for name in NAMES]
        nodes = [(node["metadata"]["uid"], node["spec"]) for node in made.cluster.api.items("/api/v1/nodes")]
        return [pids, times, nodes]

    before = read_state()
    execute(made.steps, made.run)

    assert read_state() == before


def test_a_machine_of_another_cluster_is_refused_and_left_alone(made: MadeCluster) -> None:
    other = MachineCluster(
        run=made.run,
        cluster=Cluster("other", "other", made.run.kubeconfig("other")),
        version=VERSION,
        number=1,
        control_planes=["machine2"],
        workers=[],
        open=made.machine,
        address=lambda name: read_machines(made.run)[name].address,
        files=lambda: pytest.fail("files are brought to a machine that is refused"),
    )

    with pytest.raises(NotPossible, match="host"):
        other.check("machine2")


def test_reset_leaves_each_machine_as_it_was(made: MadeCluster) -> None:
    for name in NAMES:
        reset_node(made.machine(name))
        reset_node(made.machine(name))

    for name in NAMES:
        after = read_snapshot(made.machine(name))
        assert sorted(after - made.before[name]) == []
        assert sorted(made.before[name] - after) == []
