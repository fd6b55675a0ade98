"""Upstream's workloads stay upstream's, but for what a spec changes.

Read the workloads of the real release in golden/by_yaml.txt; a changed flag shows there.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deployers.by_yaml.installation import NEEDS
from deployers.by_yaml.workload_manifests import component, estimators, names, secrets
from deployers.plane import certificates
from deployers.release import catalogue
from deployers.spec import KarmadaSpec
from deployers.tests.transcripts import CHANGED, added_lines, list_commands, list_objects
from deployers.tests.yaml_fakes import manifests_of_record
from lab.assets import Supply
from lab.errors import LabError, UsageError

Json = dict[str, Any]
GOLDEN = Path(__file__).parents[1] / "golden" / "by_yaml.txt"
EVERYTHING = {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True}


def container(tmp_path: Path, name: str, table: Json, *, member: str = "") -> Json:
    documents = component(manifests_of_record(tmp_path), name, KarmadaSpec.model_validate(table), "hub/x:1", member=member)
    found: Json = documents[0]["spec"]["template"]["spec"]["containers"][0]
    return found


def command(tmp_path: Path, name: str, table: Json) -> list[str]:
    return list(container(tmp_path, name, table)["command"])


def transcript(folder: Path, **table: Any) -> str:
    """Return the objects that are applied to the host cluster, from the release's own manifests, and the commands of the workloads.

    The test is skipped, with the reason, where the cache does not have them.
    """
    try:
        (trees,) = Supply(offline=True, catalogue=catalogue()).resolve(["karmada-manifests@1.18.2"]).values()
    except LabError as missing:
        pytest.skip(f"needs the manifests of a release in the cache: {missing.what}")
    spec = KarmadaSpec.model_validate({"addons": EVERYTHING, "members": [{"name": "member1"}], **table})
    folder.mkdir()
    (kubeconfig := folder / "member1.yaml").write_text("")
    certificates.make(folder / "pki", spec, server="https://10.0.0.1:5443", kubeconfig=folder / "kubeconfig")
    deploy = trees / "deploy"
    objects = [*secrets(deploy, folder / "pki", spec), *estimators(deploy, spec, "hub/estimator:1", {"member1": kubeconfig})]
    for name in (name for name in NEEDS if spec.has(name)):
        objects += component(deploy, name, spec, f"hub/{name}:1")
    return "\n".join([*list_objects(objects), *list_commands(objects)]) + "\n"


def test_workloads_are_those_of_the_golden_file(tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN, transcript(tmp_path / "a"))


def test_a_changed_flag_changes_the_transcript(tmp_path: Path) -> None:
    before, after = transcript(tmp_path / "a"), transcript(tmp_path / "b", **CHANGED)

    assert added_lines(before, after) == ["--cluster-failure-threshold=77s"]


def test_what_a_spec_does_not_mention_is_upstreams(tmp_path: Path) -> None:
    assert command(tmp_path, "karmada-webhook", {}) == ["/bin/karmada-webhook", "--feature-gates=AllAlpha=true,AllBeta=true", "--v=4"]


def test_flags_gates_and_environment_are_laid_over_upstreams(tmp_path: Path) -> None:
    settings = {"flags": {"kube-api-qps": "100"}, "without": ["v"], "feature_gates": {"Failover": True}, "env": {"A": "1"}, "replicas": 3}
    table = {"components": {"karmada-controller-manager": settings}}

    made = container(tmp_path, "karmada-controller-manager", table)

    gates = "--feature-gates=AllAlpha=true,AllBeta=true,Failover=true"
    assert made["command"] == ["/bin/karmada-controller-manager", gates, "--kube-api-qps=100"]
    assert made["env"] == [{"name": "KUBE_CACHE_MUTATION_DETECTOR", "value": False}, {"name": "A", "value": "1"}]
    assert made["image"] == "hub/x:1"
    documents = component(manifests_of_record(tmp_path), "karmada-controller-manager", KarmadaSpec.model_validate(table), "x")
    assert documents[0]["spec"]["replicas"] == 3


def test_a_flag_that_is_not_there_cannot_be_dropped(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--nothing"):
        command(tmp_path, "karmada-webhook", {"components": {"karmada-webhook": {"without": ["nothing"]}}})


def test_an_external_etcd_is_reached_where_it_is(tmp_path: Path) -> None:
    external = {"servers": ["https://10.1.2.3:2379"], "ca": "/a", "cert": "/b", "key": "/c"}
    for name in ("karmada-apiserver", "karmada-aggregated-apiserver"):
        found = command(tmp_path, name, {"etcd": {"external": external}})
        assert {"--etcd-servers=https://10.1.2.3:2379", "--etcd-prefix=/registry/karmada"} <= set(found)


@pytest.mark.parametrize("asked", [True, False])
def test_the_scheduler_asks_estimators_where_there_are_any(tmp_path: Path, asked: bool) -> None:
    table = {"addons": {"estimators": asked}, "members": [{"name": "member1"}]}

    assert f"--enable-scheduler-estimator={str(asked).lower()}" in command(tmp_path, "karmada-scheduler", table)


def test_each_member_has_an_estimator_that_has_its_kubeconfig(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "member1.yaml"
    kubeconfig.write_text("server: x")

    made = estimators(manifests_of_record(tmp_path), KarmadaSpec(), "hub/x:1", {"member1": kubeconfig})

    assert names(made) == ["karmada-scheduler-estimator-member1"]
    assert b64decode(made[0]["data"]["member1-kubeconfig"]) == b"server: x"
    assert "--cluster-name=member1" in made[1]["spec"]["template"]["spec"]["containers"][0]["command"]


def made_secrets(tmp_path: Path, table: Json) -> dict[str, Json]:
    spec = KarmadaSpec.model_validate(table)
    certificates.make(tmp_path / "pki", spec, server="https://10.0.0.1:5443", kubeconfig=tmp_path / "kubeconfig")
    return {each["metadata"]["name"]: each["data"] for each in secrets(manifests_of_record(tmp_path), tmp_path / "pki", spec)}


def test_secrets_are_those_that_upstreams_script_makes(tmp_path: Path) -> None:
    made = made_secrets(tmp_path, {"addons": EVERYTHING, "members": [{"name": "member1"}]})

    def content(name: str) -> bytes:
        return (tmp_path / "pki" / name).read_bytes()

    assert b64decode(made["karmada-webhook-cert"]["tls.crt"]) == content("karmada-webhook.crt")
    assert b64decode(made["karmada-webhook-cert"]["ca.crt"]) == content("ca.crt")
    assert b64decode(made["etcd-cert"]["ca.crt"]) == content("etcd-ca.crt")
    assert b64decode(made["kube-controller-manager-ca-cert"]["tls.key"]) == content("ca.key")
    assert b64decode(made["karmada-apiserver-service-account-key-pair"]["sa.key"]) == content("sa.key")
    assert len(made) == 9 + 5 + 8 + 1 + 2


def test_without_addons_there_are_no_secrets_of_theirs(tmp_path: Path) -> None:
    assert not [name for name in made_secrets(tmp_path, {}) if "search" in name or "descheduler" in name or "metrics" in name]


def test_an_external_etcd_is_called_with_what_was_given(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("ca", "cert", "key")}
    for name, file in files.items():
        file.write_text(f"the {name}")
    external = {"servers": ["https://10.1.2.3:2379"], **{name: str(file) for name, file in files.items()}}

    made = made_secrets(tmp_path, {"etcd": {"external": external}})

    assert {key: b64decode(value) for key, value in made["karmada-apiserver-etcd-client-cert"].items()} == {
        "ca.crt": b"the ca",
        "tls.crt": b"the cert",
        "tls.key": b"the key",
    }
    assert "etcd-cert" not in made
