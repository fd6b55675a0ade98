"""Values of the chart: what of a spec reaches them, and what of a user's file is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.by_chart import deployer
from deployers.by_chart import values as chart_values
from deployers.tests.chart_fakes import command, renderer
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.installer_fakes import ADDONS
from lab.errors import UsageError

Json = dict[str, Any]
PULLING = [{"name": "member1", "mode": "pull"}]
ACCESS = {"server": "https://10.0.0.3:6443", "caCrt": "CA", "crt": "CRT", "key": "KEY"}


@pytest.mark.spawns
def test_estimators_and_agents_reach_their_clusters(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"addons": ADDONS, "members": PULLING})
    render, uses = renderer(karmada, tmp_path), deployer.uses(karmada)

    estimators = render(chart_values.estimator_values(karmada.spec, uses, {"member1": ACCESS}), name="karmada-estimators")
    use = next(use for use in uses if use.component == "karmada-agent")
    agent = render(
        chart_values.agent_values(karmada.spec, use, name="member1", endpoint="https://10.0.0.3:6443", karmada=ACCESS), name="karmada-agent"
    )

    assert "--cluster-name=member1" in command(estimators, "karmada-scheduler-estimator-member1")
    assert {"--cluster-name=member1", "--cluster-api-endpoint=https://10.0.0.3:6443"} <= set(command(agent, "karmada-agent"))
    assert not {"karmada-apiserver", "etcd"} & {each["metadata"]["name"] for each in (*estimators, *agent)}


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"apiServer": None}, "apiServer"),
        ({"apiServer": {"image": None}}, "apiServer.image"),
        ({"apiServer": {"image": {"tag": "v1.0.0"}}}, "apiServer.image.tag"),
        ({"apiServer": {"nodePort": 0}}, "apiServer.nodePort"),
        ({"apiServer": {"serviceType": "ClusterIP"}}, "apiServer.serviceType"),
        ({"apiServer": {"replicaCount": 0}}, "apiServer.replicaCount"),
        ({"apiServer": {"replicaCount": "two"}}, "apiServer.replicaCount"),
        ({"apiServer": {"replicaCount": True}}, "apiServer.replicaCount"),
        ({"apiServer": ["x"]}, "apiServer"),
        ({"components": []}, "components"),
        ({"components": None}, "components"),
        ({"certs": {"mode": "custom"}}, "certs"),
        ({"systemNamespace": "other"}, "systemNamespace"),
        ({"installMode": "agent"}, "installMode"),
        ({"global": {"imageRegistry": "r.example.org"}}, "global.imageRegistry"),
    ],
)
def test_values_that_take_away_what_the_lab_needs_are_refused(values: Json, path: str) -> None:
    image = {"registry": "docker.io", "repository": "karmada/x", "tag": "v1"}
    known = {
        "installMode": "host",
        "systemNamespace": "karmada-system",
        "components": [],
        "global": {"imageRegistry": ""},
        "certs": {"mode": "auto"},
        "apiServer": {"replicaCount": 1, "image": image, "nodePort": 0, "serviceType": "ClusterIP", "tolerations": []},
    }

    assert path in {line.partition(":")[0] for line in chart_values.value_errors(values, known)}
    assert chart_values.value_errors({"apiServer": {"replicaCount": 2, "tolerations": [{"key": "a"}]}}, known) == []


@pytest.mark.parametrize("content", ["a: [", "- 1", ""])
def test_a_values_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(content)

    with pytest.raises(UsageError, match="values file"):
        chart_values.read_values(file)
