"""A spec in upstream's chart: rendered by the real helm from the real chart, and what the chart cannot carry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployers.by_chart import deployer
from deployers.by_chart import values as chart_values
from deployers.by_chart.deployer import ByChart
from deployers.checks.known_drift import hooks_left_out
from deployers.karmada import Karmada
from deployers.plane.certificates import make
from deployers.spec import KarmadaSpec
from deployers.tests.chart_fakes import command, containers, host_values, renderer
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.installer_fakes import ADDONS
from deployers.tests.transcripts import CHANGED, added_lines, list_commands, list_objects

Json = dict[str, Any]
GOLDEN = Path(__file__).parents[1] / "golden" / "by_chart.txt"
PULLING = [{"name": "member1", "mode": "pull"}]
ACCESS = {"server": "https://10.0.0.3:6443", "caCrt": "CA", "crt": "CRT", "key": "KEY"}


def host_objects(karmada: Karmada, folder: Path) -> list[Json]:
    render = renderer(karmada, folder)
    return render(host_values(karmada, render.chart))


@pytest.mark.spawns
def test_rendered_objects_are_those_of_the_golden_file(tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN, transcript(tmp_path))


@pytest.mark.spawns
def test_a_changed_flag_changes_the_transcript(tmp_path: Path) -> None:
    before, after = transcript(tmp_path / "before"), transcript(tmp_path / "after", **CHANGED)

    assert added_lines(before, after) == ["--cluster-failure-threshold=77s"]


def transcript(folder: Path, **table: Any) -> str:
    """Return the objects of the rendered chart with all addons, and the commands of its workloads."""
    folder.mkdir(exist_ok=True)
    objects = host_objects(a_karmada(folder, {"addons": ADDONS, **table}), folder)
    return "\n".join([*list_objects(objects), *list_commands(objects)]) + "\n"


@pytest.mark.spawns
def test_every_image_that_the_chart_asks_for_is_one_that_is_loaded(tmp_path: Path) -> None:
    for registry in (None, "r.example.org:5000/mirror"):
        table = {"addons": ADDONS, "members": PULLING, **({"registry": registry} if registry else {})}
        karmada = a_karmada(tmp_path / str(bool(registry)), table)
        render = renderer(karmada, tmp_path)
        loaded = {use.name for use in deployer.uses(karmada)}
        uses = deployer.uses(karmada)
        agent = next(use for use in uses if use.component == "karmada-agent")
        pulling = chart_values.agent_values(karmada.spec, agent, name="member1", endpoint="https://x", karmada=ACCESS)
        asked = [
            *render(host_values(karmada, render.chart)),
            *render(chart_values.estimator_values(karmada.spec, uses, {"member1": ACCESS}), name="karmada-estimators"),
            *render(pulling, name="karmada-agent"),
        ]

        assert {container["image"] for container in containers(asked)} == loaded


@pytest.mark.spawns
def test_the_hooks_that_the_chart_leaves_out_are_those_that_are_known(tmp_path: Path) -> None:
    objects = host_objects(a_karmada(tmp_path), tmp_path)

    jobs = next(each for each in objects if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "karmada-config")
    resources = yaml.safe_load(jobs["data"]["static-resources-configmaps.yaml"].replace("{{ ca_crt }}", "CA"))
    configurations = [each for each in yaml.safe_load_all(resources["data"]["webhook-configuration.yaml"]) if each]
    hooks = [f"{hook['name']} {hook['clientConfig']['url'].rpartition('/')[2]}" for each in configurations for hook in each["webhooks"]]
    assert len(hooks) == 19
    assert not hooks_left_out("by_chart") & set(hooks)


@pytest.mark.spawns
def test_flags_gates_and_replicas_reach_the_pods(tmp_path: Path) -> None:
    parts = {
        "karmada-controller-manager": {"flags": {"cluster-failure-threshold": "10s"}, "feature_gates": {"Failover": True}, "replicas": 2},
        "karmada-scheduler": {"feature_gates": {"PriorityBasedScheduling": True}, "flags": {"v": "4"}},
        "karmada-apiserver": {"flags": {"max-requests-inflight": "3000", "oidc-issuer-url": "https://issuer"}},
    }
    objects = host_objects(a_karmada(tmp_path, {"components": parts}), tmp_path)

    manager, scheduler = command(objects, "karmada-controller-manager"), command(objects, "karmada-scheduler")
    assert {"--cluster-failure-threshold=10s", "--feature-gates=Failover=true,PropagateDeps=false"} <= set(manager)
    assert {"--feature-gates=PriorityBasedScheduling=true", "--v=4"} <= set(scheduler)
    assert {"--max-requests-inflight=3000", "--oidc-issuer-url=https://issuer"} <= set(command(objects, "karmada-apiserver"))
    deployment = next(each for each in objects if each["metadata"]["name"] == "karmada-controller-manager" and each["kind"] == "Deployment")
    assert deployment["spec"]["replicas"] == 2


@pytest.mark.spawns
def test_an_external_etcd_and_an_authority_that_is_given(tmp_path: Path) -> None:
    make(tmp_path / "given", KarmadaSpec(), server="https://x", kubeconfig=tmp_path / "kubeconfig")
    given = tmp_path / "given"
    external = {"servers": ["https://10.0.0.9:2379"], "ca": f"{given}/ca.crt", "cert": f"{given}/client.crt", "key": f"{given}/client.key"}
    authority = {"ca": {"cert": f"{given}/ca.crt", "key": f"{given}/ca.key"}}
    objects = host_objects(a_karmada(tmp_path / "run", {"etcd": {"external": external}, "certificates": authority}), tmp_path)

    assert {"--etcd-servers=https://10.0.0.9:2379", "--etcd-prefix=/registry/karmada"} <= set(command(objects, "karmada-apiserver"))
    assert not [each for each in objects if each["kind"] == "StatefulSet" or each["metadata"]["name"] == "karmada-pre-install"]
    secrets = {each["metadata"]["name"] for each in objects if each["kind"] == "Secret"}
    assert secrets == {"karmada-cert", "karmada-webhook-cert", "karmada-external-etcd-cert", "karmada-kubeconfig"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"profile": "e2e"}, "profile e2e: the chart has no value for --allow-no-execute-taint-policy of karmada-webhook"),
        ({"components": {"karmada-webhook": {"flags": {"x": "1"}}}}, "components.karmada-webhook: the chart has no value for --x"),
        ({"components": {"karmada-scheduler": {"without": ["v"]}}}, "components.karmada-scheduler.without: the chart adds to the flags"),
        ({"components": {"karmada-scheduler": {"env": {"A": "1"}}}}, "components.karmada-scheduler.env: the chart has no value for it"),
        (
            {"components": {"karmada-search": {"feature_gates": {"A": True}}}, "addons": {"search": True}},
            "components.karmada-search.feature_gates: the chart has no value for it",
        ),
        (
            {"components": {"karmada-controller-manager": {"flags": {"x": ["1", "2"]}}}},
            "components.karmada-controller-manager: the chart can set --x of karmada-controller-manager only once",
        ),
    ],
)
def test_what_the_chart_has_no_value_for_is_refused(tmp_path: Path, table: Json, said: str) -> None:
    karmada = a_karmada(tmp_path)
    spec = KarmadaSpec.model_validate({"members": [{"name": "member1"}], **table})

    assert any(line.startswith(said) for line in ByChart().check(spec, karmada.lab.spec)), ByChart().check(spec, karmada.lab.spec)


def test_a_default_lab_is_not_refused(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path)

    assert ByChart().check(karmada.spec, karmada.lab.spec) == []


def test_an_external_etcd_by_name_is_refused_since_the_chart_waits_for_an_address(tmp_path: Path) -> None:
    spec = KarmadaSpec.model_validate(
        {"etcd": {"external": {"servers": ["https://etcd.example.org:2379"], "ca": "/a", "cert": "/b", "key": "/c"}}}
    )

    (line,) = deployer.etcd_errors(spec)
    assert "etcd.example.org:2379 has a name" in line


def test_a_values_file_with_a_key_that_the_chart_lacks_is_refused(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    chart.mkdir()
    known = {"apiServer": {"replicaCount": 1, "labels": {"app": "x"}, "oidc": {"clientId": ""}}, "components": []}
    (chart / "values.yaml").write_text(yaml.safe_dump(known))
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump({"apiServer": {"replicas": 2, "labels": {"free": "yes"}, "oidc": {"clientID": "x"}}, "componets": []}))

    assert [line.removeprefix("by_chart.values: values.yaml: ") for line in deployer.values_errors(file, chart)] == [
        "apiServer.oidc.clientID: unknown key; did you mean 'clientId'?",
        "apiServer.replicas: unknown key; did you mean 'replicaCount'?",
        "componets: unknown key; did you mean 'components'?",
    ]
