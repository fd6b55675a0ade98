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
    from urllib3 import ProxyManager

    for name in PROXIES:
        monkeypatch.setenv(name, proxy)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name) if no_proxy is None else monkeypatch.setenv(name, no_proxy)
    monkeypatch.setenv("KUBECONFIG", "/no/such/file")

    client = cluster(tmp_path).client()

    assert client.configuration.host == "https://127.0.0.1:6443"
    assert not isinstance(client.rest_client.pool_manager, ProxyManager)


@pytest.mark.parametrize(("proxy_url", "proxy"), [(None, None), ("http://127.0.0.1:8", "127.0.0.1")])
def test_a_web_socket_goes_through_the_proxy_of_the_kubeconfig_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy_url: str | None, proxy: str | None
) -> None:
    import websocket
    from kubernetes.stream import ws_client
    from websocket._http import proxy_info
    from websocket._url import get_proxy_info

    for name in PROXIES:
        monkeypatch.setenv(name, "http://192.0.2.1:9" if "no" not in name.lower() else "example.test")
    connected: list[dict[str, Any]] = []
    monkeypatch.setattr(websocket.WebSocket, "connect", lambda _self, _url, **options: connected.append(options))
    client = cluster(tmp_path, **({"proxy-url": proxy_url} if proxy_url else {})).client()

    ws_client.create_websocket(client.configuration, "wss://172.18.0.2:6443/exec", {})

    (options,) = connected
    used: Any = proxy_info(**options)  # type: ignore[no-untyped-call]  # what the web socket makes of its options
    found = get_proxy_info("172.18.0.2", is_secure=True, proxy_host=used.proxy_host, proxy_port=used.proxy_port, no_proxy=used.no_proxy)
    assert found[0] == proxy


def test_a_proxy_of_the_kubeconfig_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib3 import ProxyManager

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    client = cluster(tmp_path, **{"proxy-url": "http://127.0.0.1:8"}).client()

    assert client.configuration.proxy == "http://127.0.0.1:8"
    assert isinstance(client.rest_client.pool_manager, ProxyManager)
