"""The keys of a control plane in pods, found by what its own signer mounts."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from deployers.pods.keys import key_of, public_key, read_mounted, read_plane_keys
from deployers.tests.host_fakes import Host, deployment
from lab.errors import ProvisionError
from lab.pki import Authority, ensure_service_account_keys

ARGV = ["kube-controller-manager", "--cluster-signing-cert-file=/pki/ca/server-ca.crt", "--cluster-signing-key-file=/pki/ca/ca.key"]
ARGV += ["--service-account-private-key-file=/pki/ca/token.key"]


def a_host(folder: Path) -> Host:
    ca, token = Authority.ensure(folder, "ca", common_name="ca"), ensure_service_account_keys(folder)
    signer = deployment("anything", ARGV)
    template: dict[str, Any] = signer["spec"]["template"]["spec"]
    template["containers"][0]["volumeMounts"] = [{"name": "pki", "mountPath": "/pki/ca"}]
    items = [{"key": "tls.key", "path": "ca.key"}]
    template["volumes"] = [{"name": "pki", "secret": {"secretName": "keys", "items": items}}]
    files = {"server-ca.crt": ca.cert, "tls.key": ca.key_file, "token.key": token.key}
    data = {key: b64encode(path.read_bytes()).decode() for key, path in files.items()}
    return Host(signer, secrets=[{"metadata": {"name": "keys"}, "data": data}])


def test_whatever_the_files_and_the_workload_are_called(tmp_path: Path) -> None:
    found = read_plane_keys(a_host(tmp_path).api())

    assert found == {name: (tmp_path / name).read_bytes() for name in ("ca.crt", "ca.key", "sa.pub", "sa.key")}


def test_a_plane_without_its_signer_is_not_whole() -> None:
    with pytest.raises(ProvisionError, match="authority"):
        read_plane_keys(Host(deployment("etcd", ["etcd"])).api())


def test_a_key_is_known_by_its_certificate(tmp_path: Path) -> None:
    ca, other = (Authority.ensure(tmp_path, name, common_name=name) for name in ("ca", "other"))
    candidates = [b"x", other.key_file.read_bytes(), ca.cert.read_bytes(), ca.key_file.read_bytes()]

    assert key_of(ca.cert.read_bytes(), candidates) == ca.key_file.read_bytes()
    assert key_of(ca.cert.read_bytes(), candidates[:3]) is None
    assert public_key(ca.key_file.read_bytes()) != public_key(other.key_file.read_bytes())


def test_a_file_that_is_of_no_secret_is_refused() -> None:
    host = Host(deployment("etcd", ["etcd"]))
    with pytest.raises(ProvisionError, match="Secret"):
        read_mounted(host.api(), {"metadata": {"name": "etcd-0", "namespace": "x"}, "spec": {"containers": [{}]}}, "/pki/tls.crt")
