"""Provide what upstream's CI has and a lab lacks: the setup of the release's hack/pre-run-e2e.sh, and objects of kind clusters.

- The interpreter webhook example of the release's own module, as a program of the lab, and its configuration. Upstream runs it in a pod
  behind a load balancer; here it is reached on loopback, like every other webhook of such a lab.
- `karmadactl` where the suite looks for it: the suite runs `go env GOPATH`, so a script `go` that answers only that is first on its PATH.
- Objects that specs of karmada-search look up by their names on upstream's kind clusters: etcd's pod, and on members with hollow pods
  more of kube-system. **Stand-ins**: they have only those names; no program serves behind them, and no spec calls one.
- On members with real pods, the images that specs name (`images`, stand-ins too). Their hollow nodes are tainted, so no pod goes there.
"""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from deployers.deployer import runs_in_pods
from deployers.karmada import Karmada
from deployers.plane.objects import wait_established, wait_served
from lab.api import Api
from lab.cluster import Cluster
from lab.component import Component, Health, start
from lab.errors import UsageError
from lab.hints import command
from lab.images import load_archive, make_archive
from lab.images.load import RECORD
from lab.pki import Authority
from lab.ports import ports_of
from lab.run import write_private
from lab.supervisor.client import Supervisor
from scenarios.upstream import images

Json = dict[str, Any]
EXAMPLE = "karmada-interpreter-webhook-example"
NAME = f"upstream/{EXAMPLE}"
LOOPBACK = "127.0.0.1"
METRICS = 8080
"""Where controller-runtime serves the example's metrics: it has no flag for that, so one computer runs one suite at a time."""

PAUSE = "registry.k8s.io/pause:3.10.1"


def missing_parts(karmada: Karmada) -> list[str]:
    """Return the suite's requirements that this lab does not meet, one sentence each."""
    spec = karmada.spec
    pushed = [member.name for member in spec.members if member.mode == "push"]
    found = [] if spec.profile == "e2e" else [f'profile = "e2e" (it has {spec.profile!r})']
    found += (
        [] if {"member1", "member2"} <= set(pushed) else [f"the push members member1 and member2 (it has {', '.join(pushed) or 'none'})"]
    )
    found += [f"addons.{name}" for name in ("estimators", "search", "metrics_adapter", "descheduler") if not getattr(spec.addons, name)]
    found += ["programs of this computer: the example webhook is reached on loopback"] if runs_in_pods(karmada) else []
    return found


def check(karmada: Karmada) -> None:
    """UsageError when the suite cannot be run on this lab."""
    if lacks := missing_parts(karmada):
        raise UsageError(
            f"lab {karmada.run.id} does not meet the requirements of upstream's suite",
            where=str(karmada.run.path),
            detail="\n".join(f"it lacks {what}" for what in lacks),
            remedy=command("up", "--lab", "NAME", "--spec", "scenarios/upstream.toml"),
        )


def is_real(member: Cluster, karmada: Karmada) -> bool:
    """Return whether a member's pods run containers: then its provider has recorded the machines that they run on."""
    return karmada.run.recorded(RECORD, member.name) is not None


@contextmanager
def set_up(karmada: Karmada) -> Iterator[Mapping[str, str]]:
    """Create all fixtures, yield the environment of the suite, and remove the fixtures afterwards."""
    with ExitStack() as undo:
        undo.enter_context(apply_for_body(karmada.api, [read_crd(karmada)]))
        for member in karmada.members:
            undo.enter_context(apply_for_body(member.api, [read_crd(karmada)]))
            if is_real(member, karmada):
                load_archive(karmada.lab, member, make_archive(images.ALL, {}))
            undo.enter_context(apply_for_body(member.api, of_kind(member.name, real=is_real(member, karmada))))
        undo.enter_context(run_example(karmada))
        yield make_environment(karmada)


@contextmanager
def apply_for_body(api: Api, objects: list[Json]) -> Iterator[None]:
    """Create objects, wait until CRDs among them are served, and delete the objects after the body."""
    crds = {item["metadata"]["name"] for item in objects if item["kind"] == "CustomResourceDefinition"}
    try:
        for item in objects:
            api.apply(item)
        for item in wait_established(api, sorted(crds)).values() if crds else ():
            wait_served(api, item)
        yield
    finally:
        for item in reversed(objects):
            api.delete(api.path_of(item), propagationPolicy="Background")


def read_crd(karmada: Karmada) -> Json:
    """Return the CRD of upstream's kind Workload, which the example interprets."""
    return read_example(karmada, "apis/workload.example.io_workloads.yaml")


def read_example(karmada: Karmada, name: str, placeholders: Mapping[str, str] = MappingProxyType({})) -> Json:
    """Return an object of the release's example with its placeholders filled in."""
    text = (karmada.release.examples / "customresourceinterpreter" / name).read_text()
    for word, value in placeholders.items():
        text = text.replace(word, value)
    found: Json = yaml.safe_load(text)
    return found


@contextmanager
def run_example(karmada: Karmada) -> Iterator[None]:
    """Run the interpreter webhook example, and configure Karmada to call it."""
    run = karmada.run
    port = ports_of(run, "upstream", ["example"])["example"]
    authority = Authority.ensure(run.folder("pki", "upstream"), "ca", common_name="upstream-example")
    authority.issue("tls", common_name=EXAMPLE, hosts=["localhost", LOOPBACK])
    component = Component(
        name=NAME,
        binary=karmada.release.binary(EXAMPLE),
        flags={
            "kubeconfig": str(karmada.kubeconfig),
            "bind-address": LOOPBACK,
            "secure-port": str(port),
            "cert-dir": str(authority.folder),
        },
        ready=(Health(f"https://{LOOPBACK}:{port}/readyz/", authority.cert),),
        ports={"https": port, "metrics": METRICS},
    )
    start(component, run)
    try:
        with apply_for_body(karmada.api, [make_webhook(karmada, port, authority.cert)]):
            yield
    finally:
        Supervisor(run.path).stop(NAME)


def make_webhook(karmada: Karmada, port: int, ca: Path) -> Json:
    """Return upstream's configuration of the example, with this lab's address and CA."""
    placeholders = {
        "{{karmada-interpreter-webhook-example-svc-address}}:443": f"{LOOPBACK}:{port}",
        "{{caBundle}}": b64encode(ca.read_bytes()).decode(),
    }
    return read_example(karmada, "webhook-configuration.yaml", placeholders)


def of_kind(cluster: str, *, real: bool) -> list[Json]:
    """Return the stand-ins for objects in kube-system of upstream's clusters; a `real` member needs only etcd's pod by that name."""

    def template(name: str) -> Json:
        return {"metadata": {"labels": {"k8s-app": name}}, "spec": {"containers": [{"name": name, "image": PAUSE}]}}

    def workload(kind: str, name: str, **spec: Any) -> Json:
        return {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "kube-system", "labels": {"k8s-app": name}},
            "spec": {"selector": {"matchLabels": {"k8s-app": name}}, "template": template(name), **spec},
        }

    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"etcd-{cluster}-control-plane", "namespace": "kube-system"},
        "spec": {"nodeName": f"{cluster}-control-plane", "containers": [{"name": "etcd", "image": PAUSE}]},
    }
    return [pod] if real else [workload("Deployment", "coredns", replicas=1), workload("DaemonSet", "kube-proxy"), pod]


def make_environment(karmada: Karmada) -> dict[str, str]:
    """Return the environment of the suite: its kubeconfigs, and a script `go` that prints the GOPATH of karmadactl."""
    run = karmada.run
    gopath = run.folder("data", "upstream", "go", "bin").parent
    karmadactl = gopath / "bin" / "karmadactl"
    karmadactl.unlink(missing_ok=True)
    karmadactl.symlink_to(karmada.release.binary("karmadactl"))
    programs = run.folder("data", "upstream", "bin")
    gopath_line = f'[ "$*" = "env GOPATH" ] && exec echo {shlex.quote(str(gopath))}'
    write_private(programs / "go", f'#!/bin/sh\n{gopath_line}\necho "only env GOPATH is supported" >&2\nexit 1\n'.encode(), mode=0o700)
    pulling = {member.name for member in karmada.spec.members if member.mode == "pull"}
    return {
        "KUBECONFIG": str(run.path / "kubeconfig.yaml"),
        "PULL_BASED_CLUSTERS": ";".join(f"{member.name}:{member.kubeconfig}" for member in karmada.members if member.name in pulling),
        "PATH": f"{programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(run.folder("data", "upstream", "home")),  # the suite must not read or write ~/.kube
        "KUBECACHEDIR": str(run.folder("scratch", "kube")),
    }
