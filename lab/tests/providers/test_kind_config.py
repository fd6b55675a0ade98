"""The configuration of kind clusters."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.cluster import Lab
from lab.providers import kind_config
from lab.run import Run
from lab.tests.kind_fakes import spec


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.open(Run.create("one", {"lab": spec().model_dump(mode="json"), "karmada": None}, root=tmp_path))


def test_flags_of_the_spec_reach_kubeadm(tmp_path: Path) -> None:
    wanted = spec(flags={"kube-apiserver": {"v": "4"}, "etcd": {"snapshot-count": "5"}})
    lab = Lab.open(Run.create("one", {"lab": wanted.model_dump(mode="json"), "karmada": None}, root=tmp_path))
    programs = kind_config.make_control_plane_flags(lab.spec.members[0])

    assert programs["apiServer"]["extraArgs"]["v"] == "4"
    assert programs["apiServer"]["extraArgs"]["audit-log-path"] == "/kind/lab/audit.jsonl"
    assert programs["etcd"]["local"]["extraArgs"] == {**kind_config.FLAGS["etcd"], "snapshot-count": "5"}


def test_kinds_own_defaults_are_left_but_for_what_this_computer_cannot_do_without() -> None:
    assert kind_config.make_plain_config("1.35.4", bounded=False) == {
        **kind_config.HEAD,
        "networking": {"disableDefaultCNI": True},
        "kubeadmConfigPatches": ["kind: KubeletConfiguration\nfailCgroupV1: false\n"],
    }


@pytest.mark.parametrize(
    ("version", "expected"), [("1.34.4", "featureGates"), ("1.35.4", "featureGates"), ("1.36.3", "encryptionAlgorithm")]
)
def test_the_kubeadm_config_of_each_version_sets_elliptic_keys(version: str, expected: str) -> None:
    assert list(kind_config.make_key_settings(version)) == [expected]
