"""Clients of the `kubernetes` package reach a lab's clusters directly, whatever the environment says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cluster import Cluster
from lab.environment import PROXIES


def cluster(tmp_path: Path, **of_cluster: Any) -> Cluster:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:6443", "insecure-skip-tls-verify": True, **of_cluster}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
        "users": [{"name": "a", "user": {"token": "t"}}],
    }
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(document))
    return Cluster("a", "a", path)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "127.0.0.1:9", "no address at all"])
@pytest.mark.parametrize("no_proxy", [None, "", "example.test"])
def test_a_client_goes_through_no_proxy_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, no_proxy: str | None
) -> None:
    from kubernetes.stream.ws_client import websocket_proxycare
    from urllib3 import ProxyManager

    for name in PROXIES:
        monkeypatch.setenv(name, proxy)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name) if no_proxy is None else monkeypatch.setenv(name, no_proxy)
    monkeypatch.setenv("KUBECONFIG", "/no/such/file")

    client = cluster(tmp_path).client()

    assert client.configuration.host == "https://127.0.0.1:6443"
    assert client.configuration.proxy is None
    assert not isinstance(client.rest_client.pool_manager, ProxyManager)
    options = websocket_proxycare({}, client.configuration, None, None)
    assert options == {"http_no_proxy": ["*"]}  # or the web socket looks for a proxy itself


def test_a_web_socket_of_such_options_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    from websocket._url import get_proxy_info

    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9" if "no" not in name.lower() else "")

    assert get_proxy_info("172.18.0.2", is_secure=True, no_proxy=["*"])[0] is None
    assert get_proxy_info("172.18.0.2", is_secure=True)[0] == "127.0.0.1"


def test_a_proxy_of_the_kubeconfig_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib3 import ProxyManager

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    client = cluster(tmp_path, **{"proxy-url": "http://127.0.0.1:8"}).client()

    assert client.configuration.proxy == "http://127.0.0.1:8"
    assert isinstance(client.rest_client.pool_manager, ProxyManager)
