"""Third-party addons: Karmada divides their objects by its interpreters; they are installed, upgraded and removed without leftovers.

No controller of OpenKruise runs here: what one would write into a CloneSet's status on a member is written by `stand_in`. What is looked at
is Karmada's: how it reads replicas, divides them, and adds up what members report.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiException, CustomObjectsApi

from deployers.addons import change, karmada_addons
from deployers.addons.contents import CRD
from deployers.addons.site import Site
from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.restore import restore
from deployers.backup.take import back_up
from deployers.checks.conformance import conformance
from deployers.karmada import Karmada
from deployers.names import LEASES
from deployers.plane.layout import estimator
from deployers.plane.leases import held_lease
from deployers.plane.objects import CRDS
from lab.api import Refused
from lab.cluster import Cluster
from lab.errors import ProvisionError, UsageError
from lab.supervisor.client import Supervisor
from scenarios.kit import faults
from scenarios.kit.extra_lab import as_it_is_now
from scenarios.kit.extra_members import spare_cluster
from scenarios.kit.figures import report_figures
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import WORK, divide_among, propagate, replicas_placed

Json = dict[str, Any]
KRUISE = ("apps.kruise.io", "v1alpha1")
SETS = "clonesets"
ISTIO = "istio-base"
FOREIGN = "virtualservices.networking.istio.io"
DISCOVERED = 45.0
"""Seconds within which a CRD's objects are looked at: karmada-controller-manager looks for new resources every 30 s (pkg/detector)."""


class CloneSet:
    """A CloneSet given to Karmada in a namespace, with the policy that divides it."""

    def __init__(self, karmada: Karmada, namespace: str, *, replicas: int, weights: dict[str, int], name: str = "set") -> None:
        self.karmada, self.namespace, self.name = karmada, namespace, name
        labels = {"app": name}
        container = {"name": "web", "image": "docker.io/karmada-lab/web:1", "resources": {"requests": {"cpu": "20m"}}}
        body = {
            "apiVersion": "/".join(KRUISE),
            "kind": "CloneSet",
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }
        propagate(karmada, namespace, name, {"apiVersion": "/".join(KRUISE), "kind": "CloneSet", "name": name}, divide_among(weights))
        self.api().create_namespaced_custom_object(*KRUISE, namespace, SETS, body)

    @property
    def path(self) -> str:
        return f"/apis/{'/'.join(KRUISE)}/namespaces/{self.namespace}/{SETS}/{self.name}"

    def api(self, member: str | None = None) -> CustomObjectsApi:
        return CustomObjectsApi(self.karmada.lab.member(member).client() if member else self.karmada.client())

    def read(self, member: str | None = None) -> Json:
        """Return the CloneSet on Karmada or on a member."""
        found: Any = self.api(member).get_namespaced_custom_object(*KRUISE, self.namespace, SETS, self.name)
        return dict(found)

    def binding(self) -> Json:
        found: Any = self.api().get_namespaced_custom_object(*WORK, self.namespace, "resourcebindings", f"{self.name}-cloneset")
        return dict(found)

    def replicas(self) -> dict[str, int]:
        """Return the number of replicas that Karmada assigned to each member."""
        return {member: int(self.read(member)["spec"]["replicas"]) for member in replicas_placed(self.binding())}

    def scale(self, replicas: int) -> None:
        self.karmada.api.patch(self.path, {"spec": {"replicas": replicas}})

    def delete(self) -> None:
        with suppress(ApiException):
            self.api().delete_namespaced_custom_object(*KRUISE, self.namespace, SETS, self.name)


def write_controller_status(clones: CloneSet, member: str) -> None:
    """Write the status that kruise-manager would: all replicas updated, ready and available."""
    found = clones.read(member)
    count = found["spec"]["replicas"]
    names = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "updatedReadyReplicas", "expectedUpdatedReplicas")
    status = {"status": {**dict.fromkeys(names, count), "observedGeneration": found["metadata"]["generation"]}}
    clones.karmada.lab.member(member).api.patch(f"{clones.path}/status", status)


@pytest.fixture
def openkruise(karmada: Karmada) -> str:
    """Return the version of OpenKruise that this lab was brought up with."""
    version = as_it_is_now(karmada).spec.addons.others.get("openkruise")
    if version is None:
        pytest.skip("unknown: this lab was brought up without the addon openkruise (scenarios/lab.toml has it)")
    return version


@pytest.mark.usefixtures("openkruise")
def test_a_cloneset_is_divided_by_weight_and_its_status_added_up(karmada: Karmada, namespace: str) -> None:
    clones = CloneSet(karmada, namespace, replicas=6, weights={"member1": 1, "member2": 2})

    def check_division(member1: int, member2: int) -> None:
        """the replicas of the CloneSet are divided by weight"""
        assert clones.replicas() == {"member1": member1, "member2": member2}

    eventually(lambda: check_division(2, 4), within=DISCOVERED)
    spec = clones.binding()["spec"]
    assert spec["replicas"] == 6, "read by the interpreter: without one a CloneSet has none"
    assert spec["replicaRequirements"]["resourceRequest"] == {"cpu": "20m"}

    clones.scale(9)
    eventually(lambda: check_division(3, 6), within=20)

    for member in ("member1", "member2"):
        write_controller_status(clones, member)

    def check_status() -> None:
        """the CloneSet's status on Karmada is the sum of the members', and the binding calls both healthy"""
        assert clones.read().get("status", {}).get("readyReplicas") == 9
        assert {each["health"] for each in clones.binding()["status"]["aggregatedStatus"]} == {"Healthy"}

    eventually(check_status, within=20)
    clones.delete()


@pytest.mark.thorough
@pytest.mark.breaks
def test_an_addon_in_use_is_upgraded_around_its_objects_and_not_removed(
    karmada: Karmada, openkruise: str, namespace: str, request: pytest.FixtureRequest
) -> None:
    clones = CloneSet(karmada, namespace, replicas=2, weights={"member1": 1, "member2": 1})

    def check_present() -> None:
        """the CloneSet is on both members"""
        assert clones.replicas() == {"member1": 1, "member2": 1}

    eventually(check_present, within=DISCOVERED)
    uids = {name: clones.read(name)["metadata"]["uid"] for name in (None, "member1", "member2")}
    newest = change.versions(karmada, "openkruise")[0]
    if newest == openkruise:
        pytest.skip("unknown: this lab has the newest OpenKruise, and there is none to upgrade to")
    try:
        began = generation(karmada.cluster)
        change.upgrade(as_it_is_now(karmada), "openkruise")

        assert as_it_is_now(karmada).spec.addons.others["openkruise"] == newest
        assert generation(karmada.cluster) > began, "the CRD is another"
        assert {name: clones.read(name)["metadata"]["uid"] for name in uids} == uids
        with pytest.raises(UsageError, match=newest):
            change.install(as_it_is_now(karmada), "openkruise", openkruise)
        with pytest.raises(ProvisionError) as caught:
            change.remove(as_it_is_now(karmada), "openkruise")
        for where in ("karmada", "member1", "member2"):
            assert f"{where}: CloneSet {namespace}/set" in str(caught.value)
        assert clones.read("member1"), "nothing was touched"
    finally:
        clones.delete()
        change.upgrade(as_it_is_now(karmada), "openkruise", openkruise)
    report_figures(request, upgraded_from=openkruise, upgraded_to=newest)


@pytest.mark.thorough
@pytest.mark.breaks
def test_an_addon_of_a_restored_plane_is_what_it_was_and_is_upgraded_again(karmada: Karmada, openkruise: str, tmp_path: Path) -> None:
    newest = change.versions(karmada, "openkruise")[0]
    if newest == openkruise:
        pytest.skip("unknown: this lab has the newest OpenKruise, and there is none to upgrade to")
    backup, before = back_up(karmada, ArchiveFolder(tmp_path)), read_crd_spec(karmada.cluster)
    try:
        change.upgrade(as_it_is_now(karmada), "openkruise")
        after = read_crd_spec(karmada.cluster)
        assert after != before, "the CRD is another"

        restore(as_it_is_now(karmada), backup.path)
        assert read_crd_spec(karmada.cluster) == before
        installed = change.find_installed(as_it_is_now(karmada), "openkruise").there
        assert installed == {"karmada": openkruise, "member1": newest, "member2": newest}

        change.upgrade(as_it_is_now(karmada), "openkruise")
        assert read_crd_spec(karmada.cluster) == after
    finally:
        change.upgrade(as_it_is_now(karmada), "openkruise", openkruise)
    faults.assert_recovered(as_it_is_now(karmada))


def read_crd_spec(cluster: Cluster) -> Json:
    """Return the specification of a cluster's CRD of CloneSets."""
    found: Json = cluster.api.get(f"{CRDS}/{SETS}.{KRUISE[0]}")["spec"]
    return found


def generation(cluster: Cluster) -> int:
    return int(cluster.api.get(f"{CRDS}/{SETS}.{KRUISE[0]}")["metadata"]["generation"])


@pytest.fixture
def foreign_crd(karmada: Karmada) -> Iterator[Cluster]:
    """Yield a member with a CRD of Istio that the lab did not install; delete the CRD afterwards."""
    member = karmada.lab.member("member2")
    group = FOREIGN.partition(".")[2]
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    names = {"plural": "virtualservices", "singular": "virtualservice", "kind": "VirtualService", "listKind": "VirtualServiceList"}
    spec = {"group": group, "names": names, "scope": "Namespaced", "versions": [version]}
    member.api.create({"apiVersion": "apiextensions.k8s.io/v1", "kind": CRD, "metadata": {"name": FOREIGN}, "spec": spec})
    yield member
    member.api.delete(f"{CRDS}/{FOREIGN}")
    member.api.until_gone(f"{CRDS}/{FOREIGN}", what="the foreign CRD is gone", within=30)


def count_istio_crds(karmada: Karmada) -> dict[str, int]:
    """Return the number of Istio's CRDs on each cluster."""
    clusters = (karmada.cluster, *karmada.lab.clusters)
    counts = {each.name: sum(item["metadata"]["name"].endswith(".istio.io") for item in each.api.items(CRDS)) for each in clusters}
    return {name: count for name, count in counts.items() if count}


@pytest.mark.breaks
def test_what_is_in_the_way_on_one_member_keeps_an_addon_from_all(karmada: Karmada, foreign_crd: Cluster) -> None:
    with pytest.raises(ProvisionError) as caught:
        change.install(as_it_is_now(karmada), ISTIO)

    assert f"{foreign_crd.name}: {FOREIGN}" in str(caught.value)
    assert count_istio_crds(karmada) == {foreign_crd.name: 1}
    assert ISTIO not in as_it_is_now(karmada).spec.addons.others


@pytest.mark.thorough
@pytest.mark.breaks
def test_an_addon_comes_and_goes_without_a_trace(karmada: Karmada) -> None:
    asked = as_it_is_now(karmada).run.asked
    change.install(as_it_is_now(karmada), ISTIO)
    try:
        counts = count_istio_crds(karmada)
        assert counts.keys() == {"karmada", "member1", "member2"}, "on what is a member, and nowhere else"
        assert len(set(counts.values())) == 1
        assert counts["karmada"] > 10
    finally:
        change.remove(as_it_is_now(karmada), ISTIO)

    assert count_istio_crds(karmada) == {}
    assert as_it_is_now(karmada).run.asked == asked


@pytest.mark.thorough
@pytest.mark.breaks
@pytest.mark.needs("PODS")
def test_istiod_refuses_what_makes_no_sense_on_each_member_and_goes_again(karmada: Karmada, request: pytest.FixtureRequest) -> None:
    asked = as_it_is_now(karmada).run.asked

    def check_refused() -> None:
        """each member's istiod refuses a route without a destination"""
        for member in karmada.members:
            said = find_refusal(member, make_route("nowhere"))
            assert "validation.istio.io" in said, f"{member.name}: {said}"

    began = time.monotonic()
    try:
        for name in (ISTIO, "istiod"):
            change.install(as_it_is_now(karmada), name)
        report_figures(request, istiod_installed_seconds=round(time.monotonic() - began, 1))
        eventually(check_refused, within=60)  # the hook lets all pass until istiod has seen that it works
        somewhere = make_route("somewhere", route=[{"destination": {"host": "web"}}])
        assert [find_refusal(member, somewhere) for member in karmada.members] == ["not refused"] * len(karmada.members)
    finally:
        for name in ("istiod", ISTIO):
            change.remove(as_it_is_now(karmada), name)

    assert count_istio_crds(karmada) == {}
    assert [member.name for member in karmada.members if member.api.find("/api/v1/namespaces/istio-system")] == []
    assert as_it_is_now(karmada).run.asked == asked


def find_refusal(member: Cluster, route: Json) -> str:
    """Return why a member refuses an object; delete an object that it accepts."""
    try:
        member.api.create(route)
    except Refused as refused:
        return str(refused)
    member.api.delete(member.api.path_of(route))
    return "not refused"


def make_route(name: str, **http: Any) -> Json:
    """Return a VirtualService with one HTTP route. The CRD's schema accepts a route without a destination."""
    metadata = {"name": name, "namespace": "default", "labels": {"istio.io/rev": "default"}}  # without it no istiod is asked
    spec = {"hosts": ["web"], "http": [http]}
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": spec}


@pytest.mark.thorough
@pytest.mark.breaks
@pytest.mark.needs("MACHINES")
def test_karmadas_own_are_switched_on_and_off_while_it_runs(karmada: Karmada) -> None:
    if karmada.spec.deployer != "by_binary":
        pytest.skip(f"unknown: {karmada.spec.deployer} is not driven to change addons of a Karmada that runs")
    asked = as_it_is_now(karmada).run.asked
    apis = {
        "search": "/apis/search.karmada.io/v1alpha1/resourceregistries",
        "metrics_adapter": "/apis/metrics.k8s.io/v1beta1",
    }
    before = list_programs(karmada)
    on: list[str] = []
    try:
        for name in ("search", "metrics_adapter", "estimators", "descheduler"):
            on.append(name)
            karmada_addons.switch(as_it_is_now(karmada), name, on=True)
        assert all(karmada.api.find(path) is not None for path in apis.values())
        services = {item["metadata"]["name"] for item in karmada.api.items("/api/v1/namespaces/karmada-system/services")}
        assert {f"karmada-scheduler-estimator-{member.name}" for member in karmada.members} <= services
        assert held_lease(karmada.api, LEASES["karmada-descheduler"], "karmada-descheduler")
        new = ("karmada-search", "karmada-metrics-adapter", "karmada-descheduler", *(estimator(member.name) for member in karmada.members))
        assert list_programs(karmada) - before == {f"karmada/{name}" for name in new}
    finally:
        for name in reversed(on):
            karmada_addons.switch(as_it_is_now(karmada), name, on=False)

    assert [path for path in apis.values() if karmada.api.find(path) is not None] == []
    assert list_programs(karmada) == before
    assert as_it_is_now(karmada).run.asked == asked
    conformance(as_it_is_now(karmada)).demand()


def list_programs(karmada: Karmada) -> set[str]:
    """Return the running programs of Karmada."""
    status = Supervisor(karmada.run.path).status()
    return {name for name, state in (status.programs if status else {}).items() if state.runs and name.startswith("karmada/")}


@pytest.mark.xdist_group("spare")
def test_a_member_that_joins_later_gets_what_is_installed(karmada: Karmada, openkruise: str, namespace: str) -> None:
    def lab(*args: str) -> None:
        karmada.machine.run([sys.executable, "-m", "lab", *args, "--lab", karmada.run.id], within=120.0)

    with spare_cluster(karmada) as spare:
        site = Site(karmada.run, "openkruise", spare)
        assert site.record["version"] is None
        lab("join", spare.name)
        try:
            assert Site(karmada.run, "openkruise", spare).version == openkruise
            clones = CloneSet(karmada, namespace, replicas=2, weights={spare.name: 1})

            def check_present() -> None:
                """the CloneSet is on the member that joined"""
                assert clones.replicas() == {spare.name: 2}

            eventually(check_present, within=DISCOVERED)
            clones.delete()
        finally:
            lab("unjoin", spare.name)
            Site(karmada.run, "openkruise", spare).take()
        assert [item for item in spare.api.items(CRDS) if item["metadata"]["name"].endswith(".kruise.io")] == []
