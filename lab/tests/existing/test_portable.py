"""A kubeconfig that is copied keeps working."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.existing.portable import make_portable
from lab.kubeconfig import KubeContext


def test_files_are_named_absolutely_and_data_is_kept(tmp_path: Path) -> None:
    cluster = {"server": "https://a", "certificate-authority": "pki/ca.crt", "proxy-url": "http://proxy", "tls-server-name": "kubernetes"}
    user = {"client-certificate": "/etc/admin.crt", "client-key": "../admin.key", "tokenFile": "token", "token": "t"}

    made = make_portable(KubeContext(cluster, user, tmp_path))

    assert made.cluster == {**cluster, "certificate-authority": str(tmp_path / "pki/ca.crt")}
    assert made.user["client-certificate"] == "/etc/admin.crt"
    assert made.user["client-key"] == str(tmp_path / "../admin.key")
    assert made.user["tokenFile"] == str(tmp_path / "token")
    assert made.user["token"] == "t"


def test_a_plugin_keeps_its_users_environment_and_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_REGION", "here")
    monkeypatch.setenv("KUBECONFIG", "/elsewhere")
    monkeypatch.setenv("LD_PRELOAD", "/x.so")
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./bin/login", "env": [{"name": "AWS_REGION", "value": "there"}]}

    made = make_portable(KubeContext({"server": "https://a"}, {"exec": plugin}, tmp_path)).user["exec"]

    env = {each["name"]: each["value"] for each in made["env"]}
    assert made["command"] == str(tmp_path / "bin/login")
    assert (env["AWS_PROFILE"], env["AWS_REGION"]) == ("mine", "there")
    assert not {"KUBECONFIG", "LD_PRELOAD"} & env.keys()
    assert plugin["env"] == [{"name": "AWS_REGION", "value": "there"}], "what was given is not changed"
