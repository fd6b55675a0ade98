"""What is in the way of clusters that exist, found before anything is created."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.api import Api
from lab.errors import UsageError
from lab.existing.footprint import Footprint
from lab.existing.preflight import ClusterNeeds, examine_clusters, find_expiry, list_spec_errors
from lab.existing.rights import make_rights
from lab.kubeconfig import KubeContext, read_context
from lab.pki import Authority, write_kubeconfig
from lab.preflight import COMPUTER, SPEC, Problem
from lab.spec import LabSpec, parse
from lab.tests.existing_fakes import MemoryCluster


def a_spec(**document: Any) -> LabSpec:
    return parse(LabSpec, {"provider": "existing", "members": [], **document}, source="test")


def a_kubeconfig(folder: Path, name: str = "one") -> str:
    ca = Authority.ensure(folder / "pki", "ca", common_name="ca")
    file = folder / f"{name}.yaml"
    write_kubeconfig(file, context=name, server="https://127.0.0.1:1", ca=ca.cert, client=ca.issue("admin", common_name="admin"))
    return str(file)


@pytest.fixture
def clusters(monkeypatch: pytest.MonkeyPatch) -> dict[str, MemoryCluster]:
    """Clusters by the names of their kubeconfigs."""
    made: dict[str, MemoryCluster] = {}
    monkeypatch.setattr(Api, "open", lambda file, context=None: made[file.stem].api)
    return made


def examine(spec: LabSpec, needs: ClusterNeeds | None = None) -> list[Problem]:
    return examine_clusters(spec, {cluster.name: needs or ClusterNeeds() for cluster in spec.clusters}, lab="blue")


def test_keys_that_are_missing_or_have_no_effect_are_refused(tmp_path: Path) -> None:
    given = {"kubeconfig": str(tmp_path / "x"), "nodes": [{"count": 1}], "kubernetes": "1.35.4"}
    spec = a_spec(host={}, members=[{"name": "east", **given}, {"name": "west", "context": "c"}])

    paths = [problem.path for problem in list_spec_errors(spec)]

    assert paths == ["members[0].kubernetes", "members[0].nodes", "members[1].kubeconfig"]


def test_with_another_provider_a_member_may_exist_but_not_the_host(tmp_path: Path) -> None:
    given = {"kubeconfig": str(tmp_path / "x")}
    spec = a_spec(provider="embedded", host=given, members=[{"name": "east", **given}, {"name": "west", "context": "c"}])

    assert [problem.path for problem in list_spec_errors(spec)] == ["host.kubeconfig", "members[1].context"]
    assert [cluster.name for cluster in spec.made] == ["west"]
    assert spec.members[0].nodes == ()
    assert sum(group.count for group in spec.members[1].nodes) == 3


def test_a_context_that_is_not_there_names_the_near_one(tmp_path: Path) -> None:
    spec = a_spec(host={"kubeconfig": a_kubeconfig(tmp_path), "context": "onne"})

    (problem,) = examine(spec)

    assert (problem.path, problem.code) == ("host.context", SPEC)
    assert "'one'" in problem.why


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "a: [",
        "just text",
        "contexts: []",
        "contexts: [{name: a}, {name: b}]",
        "since: 2024-99-99",
        "contexts: [{name: a}]\ncurrent-context: [a]",
    ],
)
def test_a_file_that_is_no_kubeconfig_is_a_problem_of_the_spec(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "config"
    if content is not None:
        file.write_text(content)

    (problem,) = examine(a_spec(host={"kubeconfig": str(file)}))

    assert problem.code == SPEC
    assert str(file) in problem.why


@pytest.mark.parametrize(("content", "key"), [("", "kubeconfig"), ("contexts: [{name: a}, {name: b}]", "context")])
def test_the_problem_is_at_the_key_that_has_to_be_changed(tmp_path: Path, content: str, key: str) -> None:
    (tmp_path / "config").write_text(content)

    (problem,) = examine(a_spec(host={"kubeconfig": str(tmp_path / "config")}))

    assert problem.path == f"host.{key}"


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config")

    (problem,) = examine(a_spec(host={"kubeconfig": str(tmp_path / "config")}))

    assert "named pipe" in problem.why


@pytest.mark.parametrize("path", ["config", "~nosuchuser/config"])
def test_a_path_that_begins_nowhere_is_refused(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        a_spec(host={"kubeconfig": path})

    assert "host.kubeconfig: " in str(caught.value.detail)


def test_an_api_that_does_not_answer_is_a_problem_of_the_computer(tmp_path: Path) -> None:
    (problem,) = examine(a_spec(host={"kubeconfig": a_kubeconfig(tmp_path)}))

    assert (problem.path, problem.code) == ("host.kubeconfig", COMPUTER)


def test_a_certificate_is_valid_for_a_time(tmp_path: Path) -> None:
    given = read_context(Path(a_kubeconfig(tmp_path)))
    today = datetime.now(UTC)

    assert find_expiry(given, today) == ""
    assert "expired" in find_expiry(given, today + timedelta(days=40_000))
    assert "valid from" in find_expiry(given, today - timedelta(days=400))
    assert find_expiry(KubeContext({}, {"token": "t"}, tmp_path)) == ""
    assert "cannot be read" in find_expiry(KubeContext({}, {"client-certificate": "absent"}, tmp_path))


def test_one_cluster_by_two_kubeconfigs_is_refused(tmp_path: Path, clusters: dict[str, MemoryCluster]) -> None:
    clusters.update(one=MemoryCluster(uid="same"), two=MemoryCluster(uid="same"), three=MemoryCluster(uid="other"))
    members = [{"name": name, "kubeconfig": a_kubeconfig(tmp_path, name)} for name in ("two", "three")]

    (problem,) = examine(a_spec(host={"kubeconfig": a_kubeconfig(tmp_path)}, members=members))

    assert problem.path == "members[0].kubeconfig"


def test_all_missing_rights_are_listed_and_nothing_else_is_asked(tmp_path: Path, clusters: dict[str, MemoryCluster]) -> None:
    clusters["one"] = MemoryCluster(allowed={"get", "list"})
    spec = a_spec(host={"kubeconfig": a_kubeconfig(tmp_path)})

    (problem,) = examine(spec, ClusterNeeds(make_rights("get create delete", "secrets")))

    missing = ("create configmaps in kube-system", "delete configmaps in kube-system", "create secrets", "delete secrets")
    assert all(right in problem.why for right in missing)
    assert "get" not in problem.why
    assert problem.code == COMPUTER
    assert all("selfsubjectaccessreviews" in path for _, path in clusters["one"].asked)


def test_a_cluster_of_a_karmada_or_of_another_lab_is_refused(tmp_path: Path, clusters: dict[str, MemoryCluster]) -> None:
    clusters["one"] = MemoryCluster()
    spec = a_spec(host={"kubeconfig": a_kubeconfig(tmp_path)})
    foreign = ClusterNeeds(foreign=Footprint(paths=("/api/v1/namespaces/karmada-cluster",)))
    assert examine(spec, foreign) == []

    clusters["one"].put("/api/v1/namespaces/karmada-cluster")
    (used,) = examine(spec, foreign)
    clusters["one"].put("/api/v1/namespaces/kube-system/configmaps/karmada-lab")
    clusters["one"].objects["/api/v1/namespaces/kube-system/configmaps/karmada-lab"]["data"] = {"lab": "green", "path": "/x/green"}
    (claimed,) = examine(spec, foreign)

    assert "karmada-cluster" in used.why
    assert "lab green" in claimed.why
    assert {used.code, claimed.code} == {COMPUTER}
    assert all(verb == "GET" or "accessreviews" in path for verb, path in clusters["one"].asked)
