"""What the user asks for, read from files and options: all faults in one list."""

from __future__ import annotations

import pytest

from deployers.wanted import document, prepare
from lab.errors import UsageError
from lab.images import node
from lab.images.stock import list_package_sets


def test_a_lab_of_pods_tells_all_images_it_takes_before_it_is_made() -> None:
    wanted = prepare(document(provider="kind", deployer="by_chart"))
    names = {image.name.rpartition("/")[2].partition(":")[0] for image in wanted.images()["host"]}

    assert {"karmada-webhook", "cfssl", "kubectl", "kube-apiserver"} <= names
    assert prepare(document()).images() == {}
    packages = {each.names for each in list_package_sets(wanted.lab, wanted.images())}
    assert {node.PACKAGES.names, ("busybox-static", "bash", "curl", "openssl"), ("catatonit",)} <= packages


def test_faults_of_form_and_of_value_are_in_one_list() -> None:
    members = [
        {"name": "UPPER", "nodes": [{"zone": "eu west"}, {"labels": {"disk type": "ssd"}, "colour": "red"}]},
        {"name": "lab", "mode": "x"},
    ]
    karmada = {"profile": "none", "by_binary": {"external_name": "10.0.0.1"}, "etcd": {"members": 2}}

    with pytest.raises(UsageError) as error:
        prepare({"members": members, "karmada": karmada, "kubernets": "1.35.4"})

    found = [line.partition(": ")[0] for line in (error.value.detail or "").splitlines()]
    assert sorted(found) == sorted(
        [
            "kubernets",
            "members[0].name",
            "members[0].nodes[0].zone",
            "members[0].nodes[1].colour",
            'members[0].nodes[1].labels["disk type"]',
            "members[1].mode",
            "members[1].name",
            "karmada.profile",
            "karmada.by_binary.external_name",
            "karmada.etcd.members",
        ]
    )
