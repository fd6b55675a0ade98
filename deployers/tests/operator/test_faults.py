from __future__ import annotations

from typing import Any

import pytest

from deployers.operator.faults import list_faults
from deployers.tests.operator_fakes import full_pods, small

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("change", "path", "noun"),
    [
        ({"realease": "1"}, "spec.realease", "release"),
        ({"release": "9.9.9"}, "spec.release", "9.9.9"),
        ({"release": "latest"}, "spec.release", "match"),
        ({"profile": "nope"}, "spec.profile", "profile"),
        ({"components": [{"name": "karmada-schedular"}]}, "spec.components[0]", "karmada-scheduler"),
        ({"components": [{"name": "karmada-search", "replicas": 2}]}, "spec.components[0]", "search"),
        ({"components": [{"name": "etcd", "replicas": 3}]}, "spec.components[0]", "members"),
        ({"addons": [{"name": "opencruise"}]}, "spec.addons", "openkruise"),
        ({"images": {"registry": "r.example"}}, "spec.images.registry", "images"),
        ({"etcd": {"local": {"storage": {}}}}, "spec.etcd.local.storage", "volume"),
        ({"members": [{"name": "A", "kubeconfigSecretRef": {"name": "x"}}]}, "spec.members[0].name", "DNS"),
        ({"members": [{"name": "a", "kubeconfigSecretRef": {"nmae": "x"}}]}, "spec.members[0].kubeconfigSecretRef.nmae", "name"),
    ],
)
def test_a_fault_has_the_path_of_its_field(change: Json, path: str, noun: str) -> None:
    found = list_faults({**small(), **change})

    assert [each for each in found if each.path.startswith(path) and noun in each.why], [str(each) for each in found]


def test_a_spec_that_can_be_acted_on_has_none() -> None:
    assert list_faults(small()) == []
    assert list_faults({**full_pods(), "endpoint": {"type": "Direct"}}) == []


def test_all_faults_are_found_at_once() -> None:
    found = list_faults({**small(), "release": "9.9.9", "images": {"registry": "r.example"}, "etcd": {"local": {"storage": {}}}})

    assert {each.path for each in found} == {"spec.release", "spec.images.registry", "spec.etcd.local.storage"}
