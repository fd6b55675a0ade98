"""Rules for clusters, their names and programs."""

from __future__ import annotations

from typing import Any

import pytest

from lab.preflight import check_fields
from lab.rules import RULES
from lab.spec import LabSpec, parse
from lab.tests.rules_fakes import paths


def test_names_that_are_taken_or_reserved() -> None:
    def named(*names: str, **document: Any) -> list[str]:
        return [p.path for p in check_fields(parse(LabSpec, {"members": [{"name": n} for n in names], **document}, source="test"), RULES)]

    assert named("a", "a") == ["members[1].name"]
    assert named("host", "b") == ["members[0].name"]
    assert named("a", host={"name": "a"}) == ["members[0].name"]
    assert named("machines", "b", "node-files") == ["members[0].name", "members[2].name"]
    assert named("host", host={"name": "main"}) == []
    for name in ("karmada", "karmada-host", "karmada-apiserver", "lab", "addons", "routes", "helm"):
        assert named(name, "b") == ["members[0].name"], name
        assert named("b", host={"name": name}) == ["host.name"], name


def test_nodes_of_one_name() -> None:
    assert paths({"nodes": [{"name": "a"}, {"name": "a"}]}) == ["members[0].nodes[0].name", "members[0].nodes[1].name"]
    assert paths({"nodes": [{"count": 2}, {"name": "m-node-1"}]}) == ["members[0].nodes[1].name"]
    assert paths({"nodes": [{"count": 2}, {"name": "m-node-2"}]}) == []


def test_settings_of_programs_that_are_not_there() -> None:
    assert paths({"flags": {"kubelet": {"v": "4"}}, "env": {"coredns": {"A": "b"}}}) == [
        "members[0].flags.kubelet",
        "members[0].env.coredns",
    ]
    assert paths({"nodes": [], "flags": {"kwok": {"v": "4"}}}) == ["members[0].flags.kwok"]


def test_flags_and_variables_that_no_program_can_be_given() -> None:
    assert paths({"flags": {"etcd": {"--x": "1", "a b": "1", "x": "a\0b"}}}) == [
        "members[0].flags.etcd.--x",
        "members[0].flags.etcd.a b",
        "members[0].flags.etcd.x",
    ]
    assert paths({"env": {"etcd": {"": "1", "A=B": "1", "A": "a\0b", "B": ""}}}) == [
        f"members[0].env.etcd.{key}" for key in ("", "A=B", "A")
    ]


@pytest.mark.parametrize(("program", "flag"), [("kube-apiserver", "secure-port"), ("etcd", "data-dir"), ("kwok", "kubeconfig")])
def test_flags_that_the_lab_sets_itself(program: str, flag: str) -> None:
    assert paths({"flags": {program: {flag: "1"}}}) == [f"members[0].flags.{program}.{flag}"]
    assert paths({"flags": {program: {flag: None}}}) == [f"members[0].flags.{program}.{flag}"]


def test_files_that_the_lab_writes_itself() -> None:
    assert paths({"files": {"kwok.yaml": "", "mine.yaml": ""}}) == ['members[0].files["kwok.yaml"]']
