"""A workload on Karmada runs on the members of its policy; changes reach the members and their status returns."""

from __future__ import annotations

from kubernetes.client import CustomObjectsApi

from deployers.karmada import Karmada
from lab.images.applications import MIRROR, NEWER, WEB
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import POLICY, Workloads, divide_among, duplicate_on


def test_a_duplicated_deployment_runs_whole_on_each_member(workload: Workloads) -> None:
    web = workload(replicas=2, placement=duplicate_on("member1", "member2"))

    assert web.until_ready() == {"member1": 2, "member2": 2}


def test_replicas_are_divided_by_weight(workload: Workloads) -> None:
    web = workload(replicas=6, placement=divide_among({"member1": 1, "member2": 2}))

    assert web.until_ready() == {"member1": 2, "member2": 4}


def test_a_policy_that_names_one_member_leaves_the_other_alone(workload: Workloads) -> None:
    web = workload(placement=duplicate_on("member2"))

    assert web.until_ready() == {"member2": 2}
    assert web.on("member1") is None


def test_an_override_changes_what_one_member_gets(karmada: Karmada, namespace: str, workload: Workloads) -> None:
    override = {
        "apiVersion": "policy.karmada.io/v1alpha1",
        "kind": "OverridePolicy",
        "metadata": {"name": "web"},
        "spec": {
            "resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}],
            "overrideRules": [
                {
                    "targetCluster": {"clusterNames": ["member2"]},
                    "overriders": {
                        "imageOverrider": [{"component": "Registry", "operator": "replace", "value": MIRROR}],
                        "labelsOverrider": [{"operator": "add", "value": {"site": "two"}}],
                        "plaintext": [{"path": "/spec/replicas", "operator": "replace", "value": 3}],
                    },
                }
            ],
        },
    }
    CustomObjectsApi(karmada.client()).create_namespaced_custom_object(*POLICY, namespace, "overridepolicies", override)

    web = workload(replicas=1, placement=duplicate_on("member1", "member2"))

    def check_overridden() -> None:
        """member2 has the overridden value, member1 that of the template"""
        plain, changed = web.on("member1"), web.on("member2")
        assert plain, "not on member1 yet"
        assert changed, "not on member2 yet"
        assert (plain.spec.replicas, changed.spec.replicas) == (1, 3)
        assert [plain.metadata.labels.get("site"), changed.metadata.labels.get("site")] == [None, "two"]
        images = [each.spec.template.spec.containers[0].image for each in (plain, changed)]
        assert images == [WEB, WEB.replace("docker.io", MIRROR)]
        assert changed.status.ready_replicas == 3

    eventually(check_overridden, within=60)


def test_an_update_reaches_every_member(workload: Workloads) -> None:
    web = workload(replicas=1, placement=duplicate_on("member1", "member2"))
    web.until_ready()

    web.change({"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": NEWER}]}}}})

    def check_updated() -> None:
        """both members run two replicas of the new image"""
        for member in ("member1", "member2"):
            found = web.on(member)
            assert found, f"not on {member}"
            assert found.spec.template.spec.containers[0].image == NEWER, member
            assert found.status.updated_replicas == found.status.ready_replicas == 2, member

    eventually(check_updated, within=60)


def test_a_deletion_empties_every_member(workload: Workloads) -> None:
    web = workload(placement=duplicate_on("member1", "member2"))
    web.until_ready()

    web.delete()

    def check_deleted() -> None:
        """the Deployment is on no member"""
        assert [member for member in ("member1", "member2") if web.on(member)] == []

    eventually(check_deleted, within=60)
