from __future__ import annotations

import pytest

from lab.assets.pins import Catalogue
from lab.assets.refs import AssetRef
from lab.kubernetes_versions import find_etcd, keep_known, knows


@pytest.mark.parametrize(
    ("kubernetes", "etcd"), [("1.20.0", "3.6.5"), ("1.29.6", "3.6.5"), ("1.36.3", "3.6.5"), ("1.37.2", "3.7.3"), ("1.40.1", "3.7.3")]
)
def test_the_etcd_of_a_minor_holds_for_later_ones(kubernetes: str, etcd: str) -> None:
    assert find_etcd(kubernetes) == etcd


def test_every_pinned_kubernetes_has_an_etcd_that_is_pinned() -> None:
    pins = Catalogue.load()
    for version in pins.versions("kube-apiserver"):
        assert pins.pin(AssetRef("etcd", find_etcd(version)))


def test_one_patch_release_of_every_minor_is_pinned() -> None:
    minors = [int(version.split(".")[1]) for version in Catalogue.load().versions("kube-apiserver")]
    assert sorted(minors) == list(range(29, 38))


def test_a_setting_is_left_out_where_a_version_does_not_know_it() -> None:
    settings = {"failCgroupV1": False, "failSwapOn": False}
    assert keep_known("kubelet", settings, "1.30.4") == {"failSwapOn": False}
    assert keep_known("kubelet", settings, "1.31.14") == settings
    assert [knows("kubeadm", "encryptionAlgorithm", version) for version in ("1.35.4", "1.36.3")] == [False, True]
