"""Provide what upstream's CI has and a lab lacks: the setup of the release's hack/pre-run-e2e.sh, and objects of kind clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scenarios.upstream import command, fixtures


def test_the_lab_of_the_suite_is_one_that_it_can_be_run_on() -> None:
    from deployers.karmada import Karmada
    from deployers.wanted import document, prepare
    from lab.cluster import Lab
    from scenarios.upstream.fixtures import missing_parts

    def lacks(path: Path) -> list[str]:
        wanted = prepare(document(path), source=str(path))
        assert wanted.karmada
        return missing_parts(Karmada(Lab(None, wanted.lab), wanted.karmada))  # type: ignore[arg-type]  # no run directory is looked at

    assert lacks(command.LAB) == []
    assert [what.partition(" ")[0] for what in lacks(command.HERE / "plain.toml")] == [
        "profile",
        "addons.estimators",
        "addons.search",
        "addons.metrics_adapter",
        "addons.descheduler",
    ]


def test_the_example_is_asked_where_it_is_here(plane: Any, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"CA")

    (asked,) = fixtures.make_webhook(plane, 12345, tmp_path / "ca.crt")["webhooks"]

    assert asked["clientConfig"] == {"url": "https://127.0.0.1:12345/interpreter-workload", "caBundle": "Q0E="}


def test_the_suite_finds_karmadactl_and_nothing_of_the_users(plane: Any, tmp_path: Path) -> None:
    env = fixtures.make_environment(plane)

    go = Path(env["PATH"].partition(":")[0]) / "go"
    gopath = plane.run.path / "data" / "upstream" / "go"
    assert f"exec echo {gopath}\n" in go.read_text()
    assert (gopath / "bin" / "karmadactl").resolve() == tmp_path / "karmadactl"
    assert env["PULL_BASED_CLUSTERS"] == f"member3:{plane.run.kubeconfig('member3')}"
    assert Path(env["HOME"]).is_relative_to(plane.run.path)
    assert fixtures.make_environment(plane) == env  # again, on a lab that is kept


def test_what_stands_in_for_kinds_objects_is_what_search_is_asked_for_and_not_there() -> None:
    def found(*, real: bool) -> set[tuple[str, str, str]]:
        objects = fixtures.of_kind("member1", real=real)
        return {(item["kind"], item["metadata"]["name"], item["metadata"]["namespace"]) for item in objects}

    pod = ("Pod", "etcd-member1-control-plane", "kube-system")
    assert found(real=False) == {("Deployment", "coredns", "kube-system"), ("DaemonSet", "kube-proxy", "kube-system"), pod}
    assert found(real=True) == {pod}
