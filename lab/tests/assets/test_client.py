"""Downloads go through the caller's proxies; whatever is of this computer does not."""

from __future__ import annotations

import ast
from pathlib import Path

import httpx
import pytest

from lab.assets.client import load_authorities, open_client
from lab.environment import PROXIES
from lab.errors import NotPossible
from lab.tests.test_environment import calls

PROXY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    load_authorities.cache_clear()


def goes_through_proxy(opened: httpx.Client, url: str) -> bool:
    return opened._transport_for_url(httpx.URL(url)) is not opened._transport


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_downloads_go_through_the_proxy(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, PROXY)
    with open_client(connect=1, silence=1) as opened:
        assert goes_through_proxy(opened, "https://dl.k8s.io/release")
        assert opened.follow_redirects


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000/v2/", "https://localhost:5000/v2/", "http://[::1]:8080/mirror"])
def test_a_registry_or_mirror_of_this_computer_is_reached_directly(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, PROXY)
    with open_client(connect=1, silence=1) as opened:
        assert not goes_through_proxy(opened, url)


@pytest.mark.parametrize("value", ["ftp://127.0.0.1:9", "socks5://127.0.0.1:9", "http://127.0.0.1:port"])
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(NotPossible) as error:
        open_client(connect=1, silence=1)

    assert error.value.where == "ALL_PROXY"
    assert error.value.remedy


@pytest.mark.parametrize("content", [None, "", "garbage", "\0", "-----BEGIN CERTIFICATE-----\nodd\n-----END CERTIFICATE-----\n"])
def test_certificates_that_are_none_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "certificates").write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificates"))
    with pytest.raises(NotPossible) as error:
        load_authorities()

    assert "SSL_CERT_FILE" in (error.value.where or "")
    assert "SSL_CERT_FILE" in (error.value.remedy or "")


def test_no_other_client_reads_the_environment() -> None:
    through_proxy = {"lab/assets/client.py": "downloads", "lab/computer.py": "doctor asks whether downloads are reached"}
    through_proxy["scenarios/bookinfo/reviews.py"] = "runs in a pod"
    found = set()
    for path, call in calls():
        text = ast.unparse(call.func)
        direct = any(keyword.arg == "trust_env" and ast.unparse(keyword.value) == "False" for keyword in call.keywords)
        http = text in {f"httpx.{name}" for name in ("Client", "AsyncClient", "get", "post", "put", "head", "stream", "request")}
        if (http and not direct) or text.endswith("urlopen") or text.startswith("requests."):
            found.add(path)

    assert found == through_proxy.keys()
