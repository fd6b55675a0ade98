from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers.operator.document import SecretFiles
from deployers.operator.secrets import kubeconfig_fault, sync_secrets
from deployers.tests.operator_fakes import full_binary, parse_spec, small

Json = dict[str, Any]
USER = {"client-certificate-data": "eA==", "client-key-data": "eA=="}


def kubeconfig(**user: Any) -> bytes:
    return yaml.safe_dump(
        {
            "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443"}}],
            "users": [{"name": "u", "user": user or USER}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    ).encode()


def secret(**values: bytes) -> Json:
    return {"data": {key.replace("_", "."): base64.b64encode(value).decode() for key, value in values.items()}}


def one_member() -> Json:
    return {**small(), "members": [{"name": "member1", "kubeconfigSecretRef": {"name": "s"}}]}


def test_values_are_written_as_private_files(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    state = sync_secrets(parse_spec(one_member()), files, lambda name: secret(kubeconfig=kubeconfig()))

    assert (state.faults, state.members, state.changed) == ({}, {}, True)
    assert (tmp_path / "s" / "kubeconfig").read_bytes() == kubeconfig()
    assert (tmp_path / "s" / "kubeconfig").stat().st_mode & 0o777 == 0o600
    assert not sync_secrets(parse_spec(one_member()), files, lambda name: secret(kubeconfig=kubeconfig())).changed


@pytest.mark.parametrize("found", [None, {}, secret(other=b"x"), secret(kubeconfig=b"{"), {"data": {"kubeconfig": "%"}}])
def test_an_unusable_secret_is_a_fault_of_its_member_alone(tmp_path: Path, found: Json | None) -> None:
    state = sync_secrets(parse_spec(one_member()), SecretFiles(tmp_path), lambda name: found)

    assert state.faults == {}
    assert "Secret s" in state.members["member1"]
    assert list(tmp_path.rglob("kubeconfig")) == []


@pytest.mark.parametrize("key", ["exec", "tokenFile", "client-key", "auth-provider"])
def test_a_kubeconfig_with_commands_or_files_is_refused(key: str) -> None:
    assert key in kubeconfig_fault(kubeconfig(**{key: {"command": "/bin/sh"}}), "s")
    assert kubeconfig_fault(kubeconfig(), "s") == ""


def test_faults_of_the_whole_are_by_field(tmp_path: Path) -> None:
    state = sync_secrets(parse_spec(full_binary()), SecretFiles(tmp_path), lambda name: None)

    assert set(state.faults) == {
        "spec.install.binary.machines[0].keySecretRef",
        "spec.install.binary.machines[1].keySecretRef",
        "spec.etcd.external.tlsSecretRef",
        "spec.certificates.caSecretRef",
    }


def test_host_keys_are_written_with_the_address_of_their_machine(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    sync_secrets(parse_spec(full_binary()), files, lambda name: None)

    assert files.known_hosts("cp1").read_text().startswith("[10.0.0.11]:2222 ssh-ed25519 ")
    assert files.known_hosts("bastion").read_text().startswith("198.51.100.7 ssh-ed25519 ")
