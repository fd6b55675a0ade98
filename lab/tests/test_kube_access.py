"""How a kubeconfig connects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.api import Credentials
from lab.kube_access import Access, make_access
from lab.kubeconfig import KubeContext

SERVER = {"server": "https://api.example:6443", "insecure-skip-tls-verify": True}


def access(user: dict[str, Any] | None = None, **cluster: Any) -> Access:
    return make_access(KubeContext({**SERVER, **cluster}, user or {}, Path("/somewhere")))


@pytest.mark.parametrize(
    ("user", "cluster"),
    [
        ({"auth-provider": {"name": "gcp"}}, {}),
        ({"username": "a", "password": "b"}, {}),
        ({}, {"server": "http://api.example"}),
        ({}, {"proxy-url": "socks5://proxy"}),
        ({}, {"server": "https://api.example:port"}),
        ({}, {"server": "https://[::1"}),
        ({}, {"server": "https://:6443"}),
        ({}, {"proxy-url": "http://proxy:port"}),
    ],
)
def test_what_kubernetes_or_this_project_does_not_have_is_refused(user: dict[str, Any], cluster: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        access(user, **cluster)


def test_a_token_file_counts_for_more_than_a_token_and_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    given = access({"token": "old", "tokenFile": str(file)})

    assert given.make_headers() == [("Authorization", "Bearer first")]
    file.write_text("second")
    assert given.find_token() == "second"


def test_a_user_may_act_as_another() -> None:
    user = {"token": "t", "as": "jane", "as-groups": ["dev", "ops"], "as-user-extra": {"reason": ["test"]}}

    assert access(user).make_headers() == [
        ("Authorization", "Bearer t"),
        ("Impersonate-User", "jane"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Extra-reason", "test"),
    ]


def test_requests_carry_every_value_of_a_header() -> None:
    seen: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get_list("Impersonate-Group"))
        return httpx.Response(200)

    given = access({"as": "jane", "as-groups": ["dev", "ops"]})
    with httpx.Client(transport=httpx.MockTransport(answer), auth=Credentials(given)) as client:
        client.get("https://api.example/")

    assert seen == [["dev", "ops"]]


def test_a_server_below_a_path_and_behind_a_proxy() -> None:
    cluster: dict[str, Any] = {"server": "https://rancher.example/k8s/clusters/c-1/", "proxy-url": "http://me:secret@proxy.example:3128"}
    given = access({}, **cluster)
    peer = given.connect(timeout=1.0)

    assert given.prefix == "/k8s/clusters/c-1"
    assert (peer.host, peer.port) == ("proxy.example", 3128)
    assert access().connect(timeout=1.0).host == "api.example"
