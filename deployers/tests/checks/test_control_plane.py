"""Checks of a control plane: each finds the fault that it is for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deployers.checks import control_plane, known_drift
from deployers.checks.control_plane import CheckFailed
from deployers.plane.leases import path_of
from deployers.plane.manifests import Addresses, custom_resources, webhook_configurations
from deployers.plane.objects import CRDS, SERVICES
from deployers.tests.checks_fakes import plane
from deployers.tests.control_plane_fakes import Server, a_release
from deployers.tests.host_fakes import Host, deployment, pod
from lab.run import Run
from lab.supervisor.client import Supervisor

Json = dict[str, Any]
TRUE = {"status": {"conditions": [{"type": kind, "status": "True"} for kind in ("Established", "NamesAccepted", "Available", "Ready")]}}
DENIED = (403, 'admission webhook "propagationpolicy.karmada.io" denied the request: senseless')
ELECTING = ("kube-controller-manager", "karmada-controller-manager", "karmada-scheduler")


def test_all_of_a_releases_crds_are_asked_for(tmp_path: Path) -> None:
    nowhere = Addresses(b"", "", "", {})
    there = {
        f"{CRDS}/{crd['metadata']['name']}": {**crd, **TRUE} for crd in custom_resources(a_release(tmp_path) / "karmada-crds", nowhere)
    }

    assert control_plane.check_crds(plane(tmp_path, Server(dict(there)))) == "2 of 2"

    there[f"{CRDS}/works.work.karmada.io"]["spec"] = {"versions": [{"name": "v1alpha1", "schema": {"openAPIV3Schema": {}}}]}
    with pytest.raises(CheckFailed, match=r"works\.work\.karmada\.io"):
        control_plane.check_crds(plane(tmp_path, Server(dict(there))))

    there[f"{CRDS}/works.work.karmada.io"]["status"] = None
    with pytest.raises(CheckFailed, match="Established"):
        control_plane.check_crds(plane(tmp_path, Server(dict(there))))

    del there[f"{CRDS}/works.work.karmada.io"]
    with pytest.raises(CheckFailed, match=r"not there: works.work.karmada.io"):
        control_plane.check_crds(plane(tmp_path, Server(there)))


@pytest.mark.parametrize("lost", [False, True])
def test_what_is_stored_new_must_be_read_old_and_is_deleted(tmp_path: Path, *, lost: bool) -> None:
    server = Server()

    def created(body: Json) -> Json:
        path = server.api().path_of(body).replace("v1alpha2", "v1alpha1")
        server.objects[path] = {"metadata": body["metadata"], "spec": {"resource": {} if lost else {"replicas": body["spec"]["replicas"]}}}
        return body

    server.created = created
    if lost:
        with pytest.raises(CheckFailed, match="ResourceBinding"):
            control_plane.check_conversion(plane(tmp_path, server))
    else:
        assert "ClusterResourceBinding" in control_plane.check_conversion(plane(tmp_path, server))

    assert len([each for each in server.writes if each.startswith("DELETE")]) == (1 if lost else 2)


def admission(*, refuses: tuple[int, str] | None, completes: bool) -> Any:
    def created(body: Json) -> Json | tuple[int, str]:
        if body["spec"]["placement"] and refuses:
            return refuses
        return {**body, "metadata": {**body["metadata"], "labels": {control_plane.ID: "x"} if completes else {}}}

    return created


@pytest.mark.parametrize(
    ("refuses", "completes", "said"),
    [
        (None, True, "was accepted"),
        ((403, "forbidden: no rights"), True, "webhook"),
        ((500, 'failed calling webhook "propagationpolicy.karmada.io"'), True, "webhook"),
        (DENIED, False, "label"),
    ],
)
def test_admission_that_does_not_do_both_is_broken(tmp_path: Path, refuses: tuple[int, str] | None, completes: bool, said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        control_plane.check_admission(plane(tmp_path, Server(created=admission(refuses=refuses, completes=completes))))


def test_admission_that_does_both_is_fine(tmp_path: Path) -> None:
    assert "refused: senseless" in control_plane.check_admission(plane(tmp_path, Server(created=admission(refuses=DENIED, completes=True))))


def test_a_hook_that_an_installer_left_out_is_named(tmp_path: Path) -> None:
    where = Addresses(b"", "", "127.0.0.1:1", {})
    mutating, validating = webhook_configurations(a_release(tmp_path) / "karmada-manifests/deploy", where)
    root = "/apis/admissionregistration.k8s.io/v1"
    there = {f"{root}/mutatingwebhookconfigurations/a": mutating, f"{root}/validatingwebhookconfigurations/b": validating}

    assert control_plane.check_webhooks(plane(tmp_path, Server(dict(there)))) == "2 of 2"

    validating["webhooks"] = None
    with pytest.raises(CheckFailed, match="validate-work"):
        control_plane.check_webhooks(plane(tmp_path, Server(there)))


def test_known_drift_is_reported_until_it_is_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_drift, "HOOKS_LEFT_OUT", {"by_binary": frozenset({"works.karmada.io validate-work"})})
    configured = webhook_configurations(a_release(tmp_path) / "karmada-manifests/deploy", Addresses(b"", "", "", {}))
    there = {
        f"{control_plane.HOOKS}/{kind}webhookconfigurations/{kind}-config": document
        for kind, document in zip(("mutating", "validating"), configured, strict=True)
    }
    with pytest.raises(CheckFailed, match=r"known_drift"):
        control_plane.check_webhooks(plane(tmp_path, Server(dict(there))))

    there[f"{control_plane.HOOKS}/validatingwebhookconfigurations/validating-config"]["webhooks"] = None
    said = control_plane.check_webhooks(plane(tmp_path, Server(there)))

    assert said == "1 of 2; by_binary of upstream leaves out works.karmada.io validate-work"


def in_pods(tmp_path: Path, host: Host, server: Server | None = None) -> Any:
    karmada = plane(tmp_path, server or Server(), deployer="by_yaml")
    karmada.lab = SimpleNamespace(host=SimpleNamespace(api=host.api()))
    return karmada


def test_pods_must_be_ready_and_not_restarted(tmp_path: Path) -> None:
    workloads = [deployment(name, [f"/bin/{name}"]) for name in ELECTING]

    assert "3 containers, 0 restarts" in control_plane.check_restarts(
        in_pods(tmp_path, Host(*workloads, pods=[pod(name) for name in ELECTING]))
    )
    with pytest.raises(CheckFailed, match="restarted"):
        control_plane.check_restarts(in_pods(tmp_path, Host(*workloads, pods=[pod("karmada-scheduler", restarts=1)])))
    with pytest.raises(CheckFailed, match="not started: karmada-scheduler"):
        control_plane.check_restarts(in_pods(tmp_path, Host(*workloads[:2])))
    late = deployment("karmada-webhook", ["/bin/karmada-webhook"], ready=0)
    with pytest.raises(CheckFailed, match="0 of 1"):
        control_plane.check_restarts(in_pods(tmp_path, Host(*workloads, late)))


@pytest.mark.parametrize(("addons", "said"), [({}, "3 programs"), ({"descheduler": True}, "karmada/karmada-descheduler")])
def test_a_program_that_is_stopped_is_missed_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, addons: Json, said: str
) -> None:
    def state(name: str) -> Any:
        runs = name != "karmada-descheduler"
        return SimpleNamespace(runs=runs, state="running" if runs else "stopped", restarts=0, tail=lambda: "bye")

    programs = {f"karmada/{name}": state(name) for name in (*ELECTING, "karmada-descheduler")}
    monkeypatch.setattr(Supervisor, "status", lambda _: SimpleNamespace(programs=programs))
    karmada = plane(tmp_path, Server(), addons=addons)
    karmada.run = Run("x", tmp_path, {}, 0.0)

    if addons:
        with pytest.raises(CheckFailed, match=said):
            control_plane.check_restarts(karmada)
        return
    assert said in control_plane.check_restarts(karmada)


def test_a_lease_is_looked_for_where_the_programs_flags_put_it(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC).isoformat()
    leases = {
        path_of("karmada-system", name): {"metadata": {"name": name}, "spec": {"holderIdentity": "x", "renewTime": now}}
        for name in ELECTING
    }
    elsewhere = [deployment(name, [f"/bin/{name}", "--leader-elect-resource-namespace=karmada-system"]) for name in ELECTING]

    assert control_plane.check_leases(in_pods(tmp_path, Host(*elsewhere), Server(dict(leases)))) == ", ".join(ELECTING)
    with pytest.raises(CheckFailed, match="lease kube-controller-manager"):
        control_plane.check_leases(in_pods(tmp_path, Host(), Server(leases)))


def api_service(name: str, *, available: bool = True) -> dict[str, Json]:
    status = TRUE if available else {"status": {"conditions": [{"type": "Available", "status": "False", "message": "no endpoints"}]}}
    return {f"{SERVICES}/{name}": {"metadata": {"name": name}, "spec": {"service": {"name": "x"}}, **status}}


def test_aggregated_apis_must_be_registered_and_available(tmp_path: Path) -> None:
    cluster = api_service("v1alpha1.cluster.karmada.io")

    assert "0 clusters" in control_plane.check_aggregated_apis(plane(tmp_path, Server(dict(cluster))))
    with pytest.raises(CheckFailed, match=r"not registered: v1alpha1.cluster.karmada.io"):
        control_plane.check_aggregated_apis(plane(tmp_path, Server()))
    with pytest.raises(CheckFailed, match=r"not registered: v1alpha1.search.karmada.io"):
        control_plane.check_aggregated_apis(plane(tmp_path, Server(dict(cluster)), addons={"search": True}))
    with pytest.raises(CheckFailed, match="no endpoints"):
        control_plane.check_aggregated_apis(plane(tmp_path, Server(api_service("v1alpha1.cluster.karmada.io", available=False))))


def test_a_lease_without_a_holder_fails(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="lease kube-controller-manager"):
        control_plane.check_leases(plane(tmp_path, Server()))
