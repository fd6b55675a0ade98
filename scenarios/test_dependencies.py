"""ConfigMaps and Secrets that a Deployment refers to follow it to members without their own policy (propagateDeps)."""

from __future__ import annotations

from typing import Any

from kubernetes.client import ApiException, CoreV1Api

from deployers.karmada import Karmada
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workload, Workloads, duplicate_on

SETTINGS, KEYS = "settings", "keys"


def add_dependencies(web: Workload) -> None:
    """Create a ConfigMap and a Secret on Karmada and make the Deployment use them as environment and as a volume."""
    core = CoreV1Api(web.karmada.client())
    settings: Any = {"metadata": {"name": SETTINGS}, "data": {"colour": "green"}}
    keys: Any = {"metadata": {"name": KEYS}, "stringData": {"key": "of no worth"}}
    core.create_namespaced_config_map(web.namespace, settings)
    core.create_namespaced_secret(web.namespace, keys)
    mounts = [{"name": KEYS, "mountPath": "/keys"}]
    container = {"name": web.name, "envFrom": [{"configMapRef": {"name": SETTINGS}}], "volumeMounts": mounts}
    volumes = [{"name": KEYS, "secret": {"secretName": KEYS}}]
    web.change({"spec": {"template": {"spec": {"containers": [container], "volumes": volumes}}}})


def read_dependencies(karmada: Karmada, member: str, namespace: str) -> dict[str, Any]:
    """Return the data of the ConfigMap and the Secret on a member, by name; without missing ones."""
    core, found = CoreV1Api(karmada.lab.member(member).client()), {}
    for name, read in ((SETTINGS, core.read_namespaced_config_map), (KEYS, core.read_namespaced_secret)):
        try:
            found[name] = read(name, namespace).data
        except ApiException as error:
            if error.status != 404:
                raise
    return found


def test_dependencies_follow_a_deployment_wherever_it_goes(karmada: Karmada, workload: Workloads, namespace: str) -> None:
    web = workload(replicas=1, placement=duplicate_on("member1"), policy={"propagateDeps": True})
    add_dependencies(web)

    def check_first() -> None:
        """both are on member1 only"""
        assert read_dependencies(karmada, "member1", namespace).keys() == {SETTINGS, KEYS}
        assert read_dependencies(karmada, "member2", namespace) == {}

    eventually(check_first, within=30)
    assert web.until_ready() == {"member1": 1}

    CoreV1Api(karmada.client()).patch_namespaced_config_map(SETTINGS, namespace, {"data": {"colour": "blue"}})

    def check_changed() -> None:
        """a change of the ConfigMap has reached member1"""
        assert read_dependencies(karmada, "member1", namespace)[SETTINGS] == {"colour": "blue"}

    eventually(check_changed, within=30)

    web.place(duplicate_on("member2"))

    def check_followed() -> None:
        """both have moved from member1 to member2"""
        assert read_dependencies(karmada, "member2", namespace).keys() == {SETTINGS, KEYS}
        assert read_dependencies(karmada, "member1", namespace) == {}

    eventually(check_followed, within=60)

    web.delete()

    def check_deleted() -> None:
        """both are deleted from the members and still on Karmada"""
        assert read_dependencies(karmada, "member2", namespace) == {}
        CoreV1Api(karmada.client()).read_namespaced_config_map(SETTINGS, namespace)

    eventually(check_deleted, within=60)


def test_dependencies_stay_where_they_are_without_propagate_deps(karmada: Karmada, workload: Workloads, namespace: str) -> None:
    web = workload(replicas=1, placement=duplicate_on("member1"))
    add_dependencies(web)

    def check_arrived() -> None:
        """the Deployment on member1 refers to both"""
        found = web.on("member1")
        assert found
        assert found.spec.template.spec.volumes

    eventually(check_arrived, within=30)
    assert read_dependencies(karmada, "member1", namespace) == {}
