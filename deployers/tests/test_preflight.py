"""One preflight for `--plan` and `up`: all faults at once, each with its path; the inputs that once passed and failed later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deployers import preflight
from deployers.preflight import preflight_errors, spec_errors
from deployers.release import catalogue
from deployers.rules import ANY_VALUE, RULES
from deployers.spec import KarmadaSpec
from deployers.wanted import document, prepare
from lab.assets import AssetRef, Supply
from lab.errors import NotPossible, UsageError
from lab.preflight import COMPUTER, Problem, raise_problems
from lab.spec import LabSpec
from lab.tests.test_rules import fields_without

ROOT = Path(__file__).parents[2]
CASES = ROOT / "lab" / "tests" / "cases"


def problems(table: dict[str, Any] | None = None, *, lab: str = "", **changes: Any) -> list[Problem]:
    asked = {"members": [{"name": "member1"}], "karmada": table or {}, **changes}
    return spec_errors(prepare(asked), Supply(catalogue=catalogue(), offline=True), lab=lab)


def paths(table: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    return [problem.path for problem in problems(table, **changes)]


def component(name: str, **settings: Any) -> dict[str, Any]:
    return {"components": {name: settings}}


def test_every_field_has_a_rule_or_a_reason_why_any_value_is_right() -> None:
    assert fields_without(KarmadaSpec, RULES, ANY_VALUE) == []
    assert all(ANY_VALUE.values())


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("labels-kubernetes-refuses/key.toml", ['members[0].nodes[0].labels["disk type"]']),
        ("labels-kubernetes-refuses/long.toml", ['members[0].nodes[0].labels["branch"]']),
        ("labels-kubernetes-refuses/zone.toml", ["members[0].nodes[0].zone"]),
        ("kind-long-member/lab.toml", ["members[0].name"]),
        ("kind-worker-label/lab.toml", ['members[0].workers[0].labels["node-role.kubernetes.io/worker"]']),
        ("numeric-names/lab.toml", []),
    ],
)
def test_what_kubernetes_and_kind_refuse_is_refused_before(case: str, expected: list[str]) -> None:
    found = spec_errors(prepare(document(CASES / case)), Supply(catalogue=catalogue()), lab="default")

    assert [problem.path for problem in found] == expected
    assert {problem.code for problem in found} <= {2}


LAB_FILES = [
    *ROOT.glob("lab/specs/*.toml"),
    *(path for path in (*ROOT.glob("scenarios/*.toml"), *ROOT.glob("perf/profiles/*.toml")) if "[[members]]" in path.read_text()),
]


@pytest.mark.parametrize("file", LAB_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_lab_files_of_this_project_pass(file: Path) -> None:
    assert spec_errors(prepare(document(file)), Supply(catalogue=catalogue())) == []


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("karmada.example.test", True),
        ("k", True),
        ("xn--bcher-kva.example", True),
        ("10.0.0.1", False),
        ("*.example.test", False),
        ("karmada.example.test.", False),
        ("Karmada.example.test", False),
        ("a..b", False),
        ("a-.b", False),
        ("1.2.3", False),
        (f"{'a' * 64}.b", False),
        *((name, False) for name in ("https://a.b", "a.b:443", "bücher.example", "a_b.c", "", "::1", "[::1]", " a.b", "a.b\n", "a.b/c")),
    ],
)
def test_an_external_name_is_one_dns_name(name: str, *, right: bool) -> None:
    assert paths({"by_binary": {"external_name": name}}) == ([] if right else ["karmada.by_binary.external_name"])


@pytest.mark.parametrize(
    "host", ["a..b", "a.b:443", "*.", "*", "*.*.a", "1.2.3", "a-.b", "1.2.3.4.5", "fe80::1::2", "https://a", "", "ä.b"]
)
def test_hosts_that_no_certificate_can_name(host: str) -> None:
    assert paths({"certificates": {"hosts": [host]}}) == ["karmada.certificates.hosts[0]"]


def test_hosts_that_certificates_name() -> None:
    assert paths({"certificates": {"hosts": ["a.example", "*.b.example", "10.0.0.1", "fe80::1", "UPPER.example"]}}) == []


@pytest.mark.parametrize(
    "value", ["a.example:0", "a.example:70000", "a.example", ":443", "a..b:1", "::1:443", "[::1]", "[x]:1", "a.b:x", "ä:1"]
)
def test_load_balancers_that_are_no_host_and_port(value: str) -> None:
    assert paths({"load_balancer": value}) == ["karmada.load_balancer"]


@pytest.mark.parametrize("value", ["a.example:443", "A.example:1", "10.0.0.1:65535", "[fe80::1]:443"])
def test_load_balancers(value: str) -> None:
    assert paths({"load_balancer": value}) == []


REGISTRIES = [
    "a..b/c",
    "r.example:99999/x",
    "https://r.example",
    "r.example/",
    "r.example/UPPER",
    "r.example//x",
    "",
    "r.example/a b",
    "/x",
]


@pytest.mark.parametrize("value", REGISTRIES)
def test_registries_that_no_image_can_be_in(value: str) -> None:
    assert "karmada.registry" in paths({"registry": value})


@pytest.mark.parametrize(
    "value", ["r.example", "r.example:5000", "r.example/a/b", "localhost:5000", "10.0.0.1:5000/x", "r.example/a--b__c.d"]
)
def test_registries(value: str) -> None:
    assert not [problem for problem in problems({"registry": value, "deployer": "by_chart"}) if "registry" in problem.path]


def test_flags_that_the_lab_sets_itself() -> None:
    flags = {"secure-port": "1", "kubeconfig": "/x"}
    assert paths(component("karmada-webhook", flags=flags)) == [f"karmada.components.karmada-webhook.flags.{flag}" for flag in flags]
    assert "karmada.components.karmada-webhook.without[0]" in paths(component("karmada-webhook", without=["kubeconfig"]))


def test_environment_and_gates() -> None:
    assert paths(component("karmada-webhook", env={"A B": "1", "GOGC": "1"})) == ['karmada.components.karmada-webhook.env["A B"]']
    assert paths(component("karmada-webhook", feature_gates={"no gate": True})) == [
        'karmada.components.karmada-webhook.feature_gates["no gate"]'
    ]


def test_a_member_with_too_long_an_estimator_name_is_refused() -> None:
    def named(length: int) -> list[str]:
        return paths({"addons": {"estimators": True}}, members=[{"name": "m" * length}])

    assert named(35) == []
    assert named(36) == ["karmada.members"]


def test_files_that_are_not_there(tmp_path: Path) -> None:
    external = {"servers": ["https://10.0.0.1:2379"], "ca": f"{tmp_path}/ca", "cert": f"{tmp_path}/cert", "key": f"{tmp_path}/key"}
    assert paths({"etcd": {"external": external}}) == [f"karmada.etcd.external.{name}" for name in ("ca", "cert", "key")]
    pair = {"cert": f"{tmp_path}/ca", "key": str(tmp_path)}
    assert paths({"certificates": {"ca": pair}}) == ["karmada.certificates.ca.cert", "karmada.certificates.ca.key"]


def test_servers_of_an_external_etcd(tmp_path: Path) -> None:
    servers = [
        "http://a.example:2379",
        "a.example:2379",
        "https://a.example:2379/",
        "https://a,b:1",
        "https://10.0.0.1:0",
        "https://:2379",
        "https://u@a.example:2379",
        "https://a.example:2379?x",
        "https://a.example:99999",
    ]
    external = {"servers": [*servers, "https://a.example:2379"], "ca": str(tmp_path), "cert": str(tmp_path), "key": str(tmp_path)}
    found = paths({"etcd": {"external": external}})
    assert [path for path in found if "servers" in path] == [f"karmada.etcd.external.servers[{number}]" for number in range(len(servers))]


def test_versions_that_are_not_pinned_are_named_at_their_keys() -> None:
    members = [{"name": "a", "kubernetes": "1.0.1"}, {"name": "b", "kubernetes": "1.0.2"}]
    assert paths({"release": "0.0.1", "kubernetes": "1.0.3"}, members=members) == [
        "members[0].kubernetes",
        "members[1].kubernetes",
        "karmada.kubernetes",
        "karmada.release",
    ]


def test_all_faults_are_reported_at_once() -> None:
    members = [{"name": "routes", "nodes": [{"zone": "eu west", "cpu": "-1"}]}, {"name": "b", "flags": {"kubelet": {}}}]
    wanted = prepare(
        {"members": members, "karmada": {"by_binary": {"external_name": "10.0.0.1"}, **component("etcd", flags={"data-dir": "/x"})}}
    )

    with pytest.raises(UsageError) as error:
        preflight.require(wanted, Supply(catalogue=catalogue(), offline=True))

    assert [line.partition(": ")[0] for line in (error.value.detail or "").splitlines() if line.startswith(("members", "karmada."))] == [
        "members[0].name",
        "members[0].nodes[0].zone",
        "members[0].nodes[0].cpu",
        "karmada.components.etcd.flags.data-dir",
        "karmada.by_binary.external_name",
        "members[1].flags.kubelet",
    ]


def test_a_fault_of_the_spec_is_usage_and_one_of_the_computer_is_not_possible_here() -> None:
    computer, spec = Problem("", "memory: too little", code=COMPUTER), Problem("members", "wrong")
    raise_problems([])
    with pytest.raises(NotPossible):
        raise_problems([computer])
    with pytest.raises(UsageError) as error:
        raise_problems([computer, spec])
    assert (error.value.detail or "").splitlines() == ["members: wrong", "memory: too little"]


def test_what_the_provider_finds_on_this_computer_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: ["memory: too little"])
    found = preflight_errors(prepare(document()), Supply(catalogue=catalogue()))
    assert [(problem.code, problem.why) for problem in found] == [(COMPUTER, "memory: too little")]


def test_faults_of_form_and_of_value_are_in_one_list() -> None:
    members = [
        {"name": "UPPER", "nodes": [{"zone": "eu west"}, {"labels": {"disk type": "ssd"}, "colour": "red"}]},
        {"name": "lab", "mode": "x"},
    ]
    karmada = {"profile": "none", "by_binary": {"external_name": "10.0.0.1"}, "etcd": {"members": 2}}

    with pytest.raises(UsageError) as error:
        prepare({"members": members, "karmada": karmada, "kubernets": "1.35.4"})

    found = [line.partition(": ")[0] for line in (error.value.detail or "").splitlines()]
    assert sorted(found) == sorted(
        [
            "kubernets",
            "members[0].name",
            "members[0].nodes[0].zone",
            "members[0].nodes[1].colour",
            'members[0].nodes[1].labels["disk type"]',
            "members[1].mode",
            "members[1].name",
            "karmada.profile",
            "karmada.by_binary.external_name",
            "karmada.etcd.members",
        ]
    )


@pytest.mark.parametrize("deployer", ["by_chart", "by_yaml", "by_karmadactl", "by_operator"])
def test_a_number_as_the_name_of_a_member_with_an_estimator_in_pods(deployer: str) -> None:
    def named(name: str, *, estimators: bool = True) -> list[str]:
        table = {"deployer": deployer, "addons": {"estimators": estimators}}
        return [p.path for p in problems(table, provider="kind", members=[{"name": name}]) if "estimator" in p.why]

    assert named("1e3") == named("on") == ["karmada.members"]
    assert named("1e3", estimators=False) == named("m1") == []


def test_a_program_is_asked_for_its_flags_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    cached = SimpleNamespace(path=Path("/cache/etcd"))
    supply = SimpleNamespace(pinned=lambda refs: {ref: ref for ref in refs}, order=(), cache=SimpleNamespace(find=lambda *_, **__: cached))

    def ask(lab: LabSpec, karmada: KarmadaSpec | None, find: Callable[[str], Path | None], computer: object) -> list[Problem]:
        asked.extend(name for name in ("etcd", "kwok") if find(name))
        return []

    monkeypatch.setattr(preflight, "program_flag_errors", ask)
    wanted = prepare(document())

    preflight.require_known_flags(wanted, supply, asked={AssetRef("etcd")})  # type: ignore[arg-type]  # it only looks into the cache

    assert asked == ["kwok"]
