from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deployers.pods import host
from deployers.tests.host_fakes import Host
from lab.errors import ProvisionError
from lab.kube_access import read_access
from lab.pki import Authority, write_kubeconfig


def node(name: str, address: str, **labels: str) -> dict[str, object]:
    return {"metadata": {"name": name, "labels": labels}, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}


def test_the_control_planes_node_is_where_karmada_is_reached() -> None:
    nodes = [node("worker", "10.0.0.3"), node("host-control-plane", "10.0.0.2", **{"node-role.kubernetes.io/control-plane": ""})]

    assert host.node_address(Host(nodes=nodes).api()) == "10.0.0.2"


def test_a_host_without_nodes_is_an_error() -> None:
    with pytest.raises(ProvisionError, match="no node of"):
        host.node_address(Host().api())


def test_an_installers_kubeconfig_becomes_the_runs(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path, "ca", common_name="karmada")
    admin = ca.issue("admin", common_name="system:admin")
    theirs = write_kubeconfig(tmp_path / "theirs", context="karmada", server="https://10.0.0.2:1", ca=ca.cert, client=admin)
    ours = tmp_path / "ours"

    host.adopt_kubeconfig(theirs.read_bytes(), ours, server="https://10.0.0.2:32443", source="karmadactl")

    assert yaml.safe_load(ours.read_text())["current-context"] == "karmada-apiserver"
    assert read_access(ours).server == "https://10.0.0.2:32443"
    assert ours.stat().st_mode & 0o777 == 0o600
    assert host.ca_of(ours) == ca.cert.read_bytes()


def test_an_invalid_kubeconfig_is_an_error_with_its_source(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="kubeconfig") as caught:
        host.adopt_kubeconfig("error: no such thing", tmp_path / "ours", source="secret karmada-system/karmada-admin-config")

    assert "karmada-admin-config" in str(caught.value)
    assert not (tmp_path / "ours").exists()
