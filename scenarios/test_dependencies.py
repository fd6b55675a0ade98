"""What a Deployment refers to goes where it goes, without a policy of its own: propagateDeps."""

from __future__ import annotations

from typing import Any

from kubernetes.client import ApiException, CoreV1Api

from deployers.karmada import Karmada
from scenarios.kit.waiting import eventually
from scenarios.kit.workload import Workload, Workloads, duplicate_on

SETTINGS, KEYS = "settings", "keys"


def referring(web: Workload) -> None:
    """Give Karmada a ConfigMap and a Secret, and have the Deployment refer to both: one as environment, one as a volume."""
    core = CoreV1Api(web.karmada.client())
    settings: Any = {"metadata": {"name": SETTINGS}, "data": {"colour": "green"}}
    keys: Any = {"metadata": {"name": KEYS}, "stringData": {"key": "of no worth"}}
    core.create_namespaced_config_map(web.namespace, settings)
    core.create_namespaced_secret(web.namespace, keys)
    mounts = [{"name": KEYS, "mountPath": "/keys"}]
    container = {"name": web.name, "envFrom": [{"configMapRef": {"name": SETTINGS}}], "volumeMounts": mounts}
    volumes = [{"name": KEYS, "secret": {"secretName": KEYS}}]
    web.change({"spec": {"template": {"spec": {"containers": [container], "volumes": volumes}}}})


def there(karmada: Karmada, member: str, namespace: str) -> dict[str, Any]:
    """Return the data of those of both that are on a member, by name."""
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
    referring(web)

    def on_the_first() -> None:
        """both are on member1, and on no other"""
        assert there(karmada, "member1", namespace).keys() == {SETTINGS, KEYS}
        assert there(karmada, "member2", namespace) == {}

    eventually(on_the_first, within=30)
    assert web.until_ready() == {"member1": 1}

    CoreV1Api(karmada.client()).patch_namespaced_config_map(SETTINGS, namespace, {"data": {"colour": "blue"}})

    def changed() -> None:
        """a change of one is on member1"""
        assert there(karmada, "member1", namespace)[SETTINGS] == {"colour": "blue"}

    eventually(changed, within=30)

    web.place(duplicate_on("member2"))

    def followed() -> None:
        """both have left member1 for member2"""
        assert there(karmada, "member2", namespace).keys() == {SETTINGS, KEYS}
        assert there(karmada, "member1", namespace) == {}

    eventually(followed, within=60)

    web.delete()

    def gone() -> None:
        """both are on no member, and still on Karmada"""
        assert there(karmada, "member2", namespace) == {}
        CoreV1Api(karmada.client()).read_namespaced_config_map(SETTINGS, namespace)

    eventually(gone, within=60)


def test_dependencies_stay_where_they_are_if_nothing_is_said(karmada: Karmada, workload: Workloads, namespace: str) -> None:
    web = workload(replicas=1, placement=duplicate_on("member1"))
    referring(web)

    def arrived() -> None:
        """the Deployment is on member1 as it refers to both"""
        found = web.on("member1")
        assert found
        assert found.spec.template.spec.volumes

    eventually(arrived, within=30)
    assert there(karmada, "member1", namespace) == {}
