"""Configurations of a node: what kubeadm, containerd and the balancer are given."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from ipaddress import IPv4Network

import yaml

from lab.kubeadm import config, paths
from lab.kubeadm.config import ClusterConfig, NodeAddress
from lab.tests.kubeadm.test_facts import FACTS

FIRST, SECOND, THIRD, WORKER = (NodeAddress(f"machine{number}", f"10.0.0.{number}") for number in (1, 2, 3, 4))
ONE = ClusterConfig("host", "1.35.4", (FIRST,), (WORKER,), IPv4Network("10.224.0.0/20"), "abcdef.0123456789abcdef", "k" * 64, {})
THREE = replace(ONE, control_planes=(FIRST, SECOND, THIRD))


def test_one_control_plane_is_reached_directly_and_three_through_the_balancer_of_each_node() -> None:
    assert ONE.endpoint == "10.0.0.1:6443"
    assert THREE.endpoint == "127.0.0.1:16443"
    assert f"{paths.ROOT}/haproxy.cfg" not in config.make_node_texts(ONE, FACTS, pause="pause")
    balancer = config.make_node_texts(THREE, FACTS, pause="pause")[f"{paths.ROOT}/haproxy.cfg"]
    assert [line.split()[-1] for line in balancer.splitlines() if line.strip().startswith("server ")] == [
        "10.0.0.1:6443",
        "10.0.0.2:6443",
        "10.0.0.3:6443",
    ]


def test_a_control_plane_takes_pods_only_where_there_are_no_workers() -> None:
    assert "taints" not in config.make_registration(ONE, FIRST)
    assert config.make_registration(replace(ONE, workers=()), FIRST)["taints"] == []
    assert "taints" not in config.make_registration(ONE, WORKER)


def test_controllers_elect_a_leader_where_there_are_several() -> None:
    def flags(of: ClusterConfig) -> set[str]:
        return {flag["name"] for flag in config.make_cluster_configuration(of)["scheduler"]["extraArgs"]}

    assert "leader-elect" in flags(ONE)
    assert "leader-elect" not in flags(THREE)


def test_flags_of_the_spec_are_layered_over_and_null_drops_one() -> None:
    of = replace(ONE, flags={"kube-scheduler": {"v": "2", "leader-elect": None}})

    assert config.make_cluster_configuration(of)["scheduler"]["extraArgs"] == [{"name": "v", "value": "2"}]


def test_keys_are_of_an_elliptic_curve_in_every_version() -> None:
    assert config.make_cluster_configuration(ONE)["featureGates"] == {"PublicKeysECDSA": True}
    assert config.make_cluster_configuration(replace(ONE, version="1.36.3"))["encryptionAlgorithm"] == "ECDSA-P256"


def test_only_a_control_plane_joins_with_the_key_of_the_certificates() -> None:
    (second,) = yaml.safe_load_all(config.make_join_config(THREE, SECOND, "/d"))
    (worker,) = yaml.safe_load_all(config.make_join_config(THREE, WORKER, "/d"))

    assert second["controlPlane"]["localAPIEndpoint"]["advertiseAddress"] == "10.0.0.2"
    assert "controlPlane" not in worker
    assert worker["discovery"]["tlsBootstrapToken"] == ONE.token


def test_a_node_trusts_the_authority_that_it_is_given() -> None:
    cluster = yaml.safe_load(config.make_discovery(THREE, b"PEM"))["clusters"][0]["cluster"]

    assert b64decode(cluster["certificate-authority-data"]) == b"PEM"
    assert cluster["server"] == "https://127.0.0.1:16443"


def test_a_machine_within_bounds_asks_for_no_more_than_it_has() -> None:
    bounded = config.make_node_texts(ONE, FACTS, pause="pause")
    free = config.make_node_texts(ONE, replace(FACTS, bounded=False), pause="pause")

    assert "restrict_oom_score_adj = true" in bounded[f"{paths.ROOT}/containerd.toml"]
    assert "runc-within-bounds" not in free[f"{paths.ROOT}/containerd.toml"]
    assert "KubeletInUserNamespace" not in str(config.make_kubelet_configuration("1.35.4", replace(FACTS, bounded=False)))


def test_only_a_container_has_cgroups_of_its_own() -> None:
    unit = f"{paths.UNITS}/{paths.KUBELET}"

    assert "Slice=kubelet.slice" in config.make_node_texts(ONE, FACTS, pause="p")[unit]
    assert "Slice" not in config.make_node_texts(ONE, replace(FACTS, container=False), pause="p")[unit]
    assert "cgroupRoot" not in config.make_kubelet_configuration("1.35.4", replace(FACTS, container=False))


def test_all_of_a_node_lies_in_one_folder_but_for_units() -> None:
    outside = {path for path in config.make_node_texts(THREE, FACTS, pause="p") if not path.startswith(paths.ROOT)}

    assert outside == {f"{paths.UNITS}/{unit}" for unit in (paths.CONTAINERD, paths.KUBELET, paths.BALANCER)}
    assert f"{paths.CNI}/data" in config.make_network(IPv4Network("10.224.0.0/24"))
