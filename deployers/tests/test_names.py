"""Names of components."""

from __future__ import annotations

import pytest

from deployers.names import kind_of_instance


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("karmada/etcd-3", "etcd"),
        ("karmada/kube-controller-manager", "kube-controller-manager"),
        ("karmada/karmada-scheduler-2", "karmada-scheduler"),
        ("karmada/karmada-scheduler-estimator-member-2", "karmada-scheduler-estimator"),
    ],
)
def test_kind_of_a_program(name: str, kind: str) -> None:
    assert kind_of_instance(name) == kind
