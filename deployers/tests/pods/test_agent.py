"""A karmada-agent in pods follows the release of its control plane."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployers.pods import agent
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.host_fakes import Host, deployment
from lab.cluster import Cluster

Json = dict[str, Any]
EARLIER, LATER = "1.17.1", "1.18.2"
PULLING = {"members": [{"name": "member1", "mode": "pull"}]}


class Member(Host):
    """A member that accepts patches of its agent's Deployment."""

    patched: Json | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            self.patched = json.loads(request.content)
            return httpx.Response(200, json={})
        return super().answer(request)


def test_an_agent_that_is_a_pod_gets_the_image_of_the_release_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member = Member(deployment("karmada-agent", ["/bin/karmada-agent", "--cluster-name=member1"]))
    monkeypatch.setattr(Cluster, "api", property(lambda cluster: member.api()))
    ready: list[str] = []
    monkeypatch.setattr(agent, "wait_member_ready", lambda karmada, name: ready.append(name))

    agent.replace_agents(a_karmada(tmp_path, {"deployer": "by_yaml", **PULLING}))

    (container,) = (member.patched or {})["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"docker.io/karmada/karmada-agent:v{LATER}"
    assert container["command"] == ["/bin/karmada-agent", "--cluster-name=member1"]
    assert ready == ["member1"]
