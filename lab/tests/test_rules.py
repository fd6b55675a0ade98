"""Rules of a LabSpec: every field has one, and each refuses what Kubernetes, a kubelet or the lab would refuse later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lab.errors import UsageError
from lab.preflight import Problem, check_fields, find_rule
from lab.providers.embedded import Embedded
from lab.providers.kind import Kind
from lab.rules import ANY_VALUE, RULES, syntax
from lab.spec import LabSpec, parse


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a type, those inside unions, tuples and dicts among them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_of(inner)


def fields_without(model: type[BaseModel], *tables: Any, seen: set[type[BaseModel]] | None = None) -> list[str]:
    """Return the fields of a model, and of the models inside it, that no table names."""
    seen = set() if seen is None else seen
    if model in seen:
        return []
    seen.add(model)
    found = []
    for field, info in model.model_fields.items():
        if not any(find_rule(table, model, field) for table in tables):
            found.append(f"{model.__name__}.{field}")
        for inner in models_of(info.annotation):
            found += fields_without(inner, *tables, seen=seen)
    return found


def problems(member: dict[str, Any] | None = None, *, lab: str = "", **document: Any) -> list[Problem]:
    spec = parse(LabSpec, {"members": [{"name": "m", **(member or {})}], **document}, source="test")
    provider = Kind() if spec.provider == "kind" else Embedded()
    return [*check_fields(spec, RULES), *provider.check_spec(spec, lab=lab)]


def paths(member: dict[str, Any] | None = None, **document: Any) -> list[str]:
    return [problem.path for problem in problems(member, **document)]


def labelled(**labels: str) -> dict[str, Any]:
    return {"nodes": [{}, {"count": 2, "labels": labels}]}


def test_every_field_has_a_rule_or_a_reason_why_any_value_is_right() -> None:
    assert fields_without(LabSpec, RULES, ANY_VALUE) == []
    assert all(ANY_VALUE.values())


def test_a_field_that_is_left_out_is_named() -> None:
    class Wider(LabSpec):
        colour: str = ""

    assert fields_without(Wider, RULES, ANY_VALUE) == ["Wider.colour"]


@pytest.mark.parametrize(
    "key",
    [
        *("disk type", "", "-a", "a-", "ä", "a/", "/a", "a/b/c", "A.example/x/", "UPPER.example/x", "under_score.example/x"),
        *("a" * 64, f"{'a.' * 127}a/x", f"example.org/{'a' * 64}", "a\n", "a b/c", "a..b/c"),
    ],
)
def test_label_keys_that_kubernetes_refuses(key: str) -> None:
    assert paths(labelled(**{key: "x"})) == [f'members[0].nodes[1].labels["{key}"]']


@pytest.mark.parametrize(
    "key", ["a", "A", "0", "a_b.c-d", "example.org/A_b", "a" * 63, f"{'a.' * 100}a/x", f"{'a' * 64}.b/x", "node-role.kubernetes.io/worker"]
)
def test_label_keys_that_kubernetes_takes(key: str) -> None:
    assert paths(labelled(**{key: "x"})) == []


@pytest.mark.parametrize("value", ["eu west", "a" * 64, "-a", "a.", "ä", "a/b", "a:b", "a\n", " "])
def test_label_values_and_zones_that_kubernetes_refuses(value: str) -> None:
    assert paths(labelled(disk=value)) == ['members[0].nodes[1].labels["disk"]']
    assert paths({"nodes": [{"zone": value, "region": value}]}) == ["members[0].nodes[0].zone", "members[0].nodes[0].region"]
    assert paths(provider="kind", host={"workers": [{"zone": value}]}) == ["host.workers[0].zone"]


@pytest.mark.parametrize("value", ["", "a", "A_b.c", "0", "a" * 63, "true", "1e3"])
def test_label_values_that_kubernetes_takes(value: str) -> None:
    assert paths(labelled(disk=value)) == []


def test_labels_that_the_lab_sets_itself() -> None:
    assert paths(labelled(**{"kubernetes.io/hostname": "x"})) == ['members[0].nodes[1].labels["kubernetes.io/hostname"]']
    zone = "topology.kubernetes.io/zone"
    assert paths({"nodes": [{"zone": "a", "labels": {zone: "b"}}]}) == [f'members[0].nodes[0].labels["{zone}"]']
    assert paths({"nodes": [{"zone": "a", "labels": {zone: "a"}}]}) == []


@pytest.mark.parametrize(
    "key",
    [
        *(
            "node-role.kubernetes.io/worker",
            "kubernetes.io/x",
            "x.kubernetes.io/y",
            "k8s.io/x",
            "a.k8s.io/x",
            "topology.kubernetes.io/rack",
        ),
        *("node-restriction.kubernetes.io/x", "kubernetes.io/arch", "kubernetes.io/os", "kubernetes.io/hostname"),
    ],
)
def test_labels_that_a_kubelet_may_not_set_on_its_own_node(key: str) -> None:
    found = paths({"workers": [{"labels": {key: "x"}}]}, provider="kind")
    assert set(found) == {f'members[0].workers[0].labels["{key}"]'}


@pytest.mark.parametrize(
    "key",
    [
        *("disk", "example.org/x", "node.kubernetes.io/x", "a.node.kubernetes.io/x", "kubelet.kubernetes.io/x", "notkubernetes.io/x"),
        *("topology.kubernetes.io/zone", "node.kubernetes.io/instance-type", "failure-domain.beta.kubernetes.io/zone"),
    ],
)
def test_labels_that_a_kubelet_may_set(key: str) -> None:
    assert paths({"workers": [{"labels": {key: "x"}}]}, provider="kind") == []


@pytest.mark.parametrize(
    "text", ["-1", "-4Gi", "1.5GiB", "4GB", "4 Gi", "", "four", "1e", "0x10", "1_000", "1.2.3", "4gi", "4KI", "∞", "٣", "1\n"]
)
def test_quantities_that_kubernetes_refuses(text: str) -> None:
    assert paths({"nodes": [{"cpu": text, "memory": text}]}) == ["members[0].nodes[0].cpu", "members[0].nodes[0].memory"]


@pytest.mark.parametrize("text", ["0", "8", "500m", "32Gi", "1.5", ".5", "5.", "1e3", "1E3", "1E", "100n", "2u", "+4", "4k", "1.5G", "3Pi"])
def test_quantities_that_kubernetes_takes(text: str) -> None:
    assert syntax.quantity_error(text) == ""


def test_quantities_beyond_what_kubernetes_counts() -> None:
    assert paths({"nodes": [{"cpu": "9223372036854776"}]}) == ["members[0].nodes[0].cpu"]
    assert paths({"nodes": [{"memory": "8Ei"}]}) == ["members[0].nodes[0].memory"]
    assert paths({"nodes": [{"memory": "1e999"}]}) == ["members[0].nodes[0].memory"]
    assert paths({"nodes": [{"pods": 10**30}]}) == ["members[0].nodes[0].pods"]


@given(st.text(max_size=20))
def test_no_text_breaks_a_rule(text: str) -> None:
    for check in (syntax.label_key_error, syntax.label_value_error, syntax.quantity_error, syntax.host_name_error, syntax.port_error):
        assert isinstance(check(text), str)


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


def test_kind_names_are_host_names() -> None:
    def of(name: str, lab: str, workers: int = 0) -> list[str]:
        members = [{"name": name, "workers": [{"count": workers}] if workers else []}]
        spec = parse(LabSpec, {"provider": "kind", "members": members}, source="test")
        return [problem.path for problem in Kind().check_spec(spec, lab=lab)]

    # karmada-lab. + lab + . + member + -control-plane
    assert of("m" * 35, "a") == []
    assert of("m" * 36, "a") == ["members[0].name"]
    assert of("m" * 31, "abcde") == []
    assert of("m" * 32, "abcde", 15) == ["members[0].name"]
    assert of("m" * 18, "l" * 40) == [], "of a long lab's name a part is taken"


def test_sixteen_workers_in_two_groups() -> None:
    assert paths({"workers": [{"count": 8}, {"count": 8}]}, provider="kind") == ["members[0].workers"]


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


@pytest.mark.parametrize(("key", "why"), [("a/b/c", "has more than one '/'"), ("A/b", "prefix"), ("/b", "prefix"), ("a/", "is empty")])
def test_a_wrong_key_of_a_label_is_a_predicate_of_the_key(key: str, why: str) -> None:
    found = syntax.label_key_error(key)

    assert why in found
    assert found.split()[0] in {"has", "is"}


HOSTS = [{"name": "a", "address": "10.0.0.5"}, {"name": "b", "address": "b.example.org", "jump": "a"}]


def test_hosts_that_can_be_reached_are_accepted() -> None:
    assert paths({"machine": "b"}, machines={"hosts": HOSTS}) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": "m"}, "machines.hosts[1].name"),
        ({"name": "local"}, "machines.hosts[1].name"),
        ({"address": "10.0.0.5:22"}, "machines.hosts[1].address"),
        ({"address": ""}, "machines.hosts[1].address"),
        ({"user": "a b"}, "machines.hosts[1].user"),
        ({"jump": "c"}, "machines.hosts[1].jump"),
        ({"jump": "b"}, "machines.hosts[1].jump"),
    ],
)
def test_a_host_that_could_not_be_used_is_named(changes: dict[str, str], path: str) -> None:
    assert paths(machines={"hosts": [HOSTS[0], {**HOSTS[1], **changes}]}) == [path]


@pytest.mark.parametrize(
    ("member", "document"),
    [
        ({"machine": "machine1"}, {}),
        ({"machine": "machin1"}, {"machines": {"kind": "namespace", "count": 1}}),
        ({"machine": "machine1"}, {"machines": {"kind": "namespace", "count": 1}, "provider": "kind"}),
    ],
)
def test_a_cluster_is_placed_only_on_a_machine_that_the_lab_has(member: dict[str, str], document: dict[str, Any]) -> None:
    assert paths(member, **document) == ["members[0].machine"]


@pytest.mark.parametrize(
    "machines",
    [
        {},
        {"kind": "namespace"},
        {"kind": "ssh", "count": 1},
        {"kind": "container", "hosts": HOSTS},
        {"hosts": HOSTS, "inventory": "hosts.ini"},
        {"hosts": [HOSTS[0], HOSTS[0]]},
        {"kind": "namespace", "count": 201},
    ],
)
def test_machines_are_given_in_one_way(machines: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="LabSpec"):
        problems(machines=machines)
