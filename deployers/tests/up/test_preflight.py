"""One preflight for `--plan` and `up`: all faults at once, each with its path; the inputs that once passed and failed later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from deployers.release import catalogue
from deployers.rules import ANY_VALUE, RULES
from deployers.spec import KarmadaSpec
from deployers.tests.preflight_fakes import component, paths, problems
from deployers.up import preflight
from deployers.up.preflight import preflight_errors, spec_errors
from deployers.wanted import document, prepare
from lab.assets import AssetRef, Supply
from lab.errors import NotPossible, UsageError
from lab.preflight import COMPUTER, Problem
from lab.spec import LabSpec
from lab.tests.test_rules import fields_without

ROOT = Path(__file__).parents[3]
CASES = ROOT / "lab" / "tests" / "cases"
LAB_FILES = [
    *ROOT.glob("lab/specs/*.toml"),
    *(path for path in (*ROOT.glob("scenarios/*.toml"), *ROOT.glob("perf/profiles/*.toml")) if "[[members]]" in path.read_text()),
]


def test_what_a_provider_does_not_offer_has_the_providers_that_do_as_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: [])
    wanted = prepare(document(deployer="by_chart"))

    with pytest.raises(NotPossible) as refused:
        preflight.require(wanted, Supply(catalogue=catalogue()))

    assert "needs PODS, which the provider embedded does not offer" in str(refused.value.detail)
    assert "lab up --provider kind" in str(refused.value.remedy)


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


@pytest.mark.parametrize("file", LAB_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_lab_files_of_this_project_pass(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)  # where their commands are started
    assert spec_errors(prepare(document(file)), Supply(catalogue=catalogue())) == []


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


def test_what_the_provider_finds_on_this_computer_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: ["memory: too little"])
    found = preflight_errors(prepare(document()), Supply(catalogue=catalogue()))
    assert [(problem.code, problem.why) for problem in found] == [(COMPUTER, "memory: too little")]


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


def test_a_deployer_in_pods_needs_a_host_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "k"
    lab = {"provider": "existing", "members": [{"name": "a", "kubeconfig": str(file)}]}

    assert [problem.path for problem in preflight.host_errors(prepare({**lab, "karmada": {"deployer": "by_yaml"}}))] == ["host.kubeconfig"]
    assert list(preflight.host_errors(prepare({**lab, "karmada": {}}))) == []
