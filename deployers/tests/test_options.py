from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployers.checks.conformance import CheckResult, ConformanceReport
from deployers.checks.support_matrix import PROVEN, ROWS, SupportMatrix, append_report
from deployers.deployer import DEPLOYERS, get_deployer
from deployers.options import CARRIED, IN_PART, OF_COMPONENTS, OPTIONS, complete, options_of, refusals, row, verdict
from deployers.spec import COMPONENTS, KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from lab.steps import StepOutcome

EVERYTHING = {
    "kubernetes": "1.34.4",
    "profile": "e2e",
    "etcd": {"members": 3},
    "certificates": {"ca": {"cert": "/a", "key": "/b"}, "hosts": ["karmada.example.org"], "days": 30},
    "load_balancer": "10.0.0.1:6443",
    "registry": "registry.example.org:5000/karmada",
    "components": {
        "karmada-scheduler": {
            "replicas": 2,
            "flags": {"v": "4"},
            "feature_gates": {"X": True},
            "env": {"A": "b"},
            "without": ["logging-format"],
        }
    },
    "addons": {"descheduler": True, "search": True, "metrics_adapter": True, "estimators": True},
    "members": [{"name": "member1"}, {"name": "member2", "mode": "pull"}],
}


def test_every_option_of_a_spec_has_a_row() -> None:
    spec = KarmadaSpec.model_validate(EVERYTHING)

    assert {row(option) for option in options_of(spec)} == set(OPTIONS) - {"etcd.external", "etcd.storage"}
    assert options_of(KarmadaSpec()) == []


def test_the_tables_of_all_deployers_are_whole() -> None:
    for name in DEPLOYERS:
        complete(get_deployer(name).options)


def test_an_unsupported_option_is_refused_with_the_reason_of_the_table() -> None:
    support = complete({**dict.fromkeys(OPTIONS, ""), "registry": "no images", "components.karmada-scheduler.env": "no place for it"})
    spec = KarmadaSpec.model_validate(EVERYTHING)

    assert refusals(spec, support) == ["registry: no images", "components.karmada-scheduler.env: no place for it"]
    assert verdict("registry", support) == "refused: no images"
    assert verdict("components.*.env", support) == "carried but for karmada-scheduler (no place for it)"
    assert verdict("profile", support) == "carried"


@pytest.mark.parametrize(("support", "option"), [({}, "load_balancer"), ({**dict.fromkeys(OPTIONS, ""), "replicas": ""}, "replicas")])
def test_a_table_that_lacks_an_option_or_has_an_unknown_one_is_refused(support: dict[str, str], option: str) -> None:
    with pytest.raises(ValueError, match=option):
        complete(support)


def test_an_outcome_counts_for_each_option_of_its_spec_and_the_last_one_stands(tmp_path: Path) -> None:
    karmada = a_karmada(tmp_path, {"etcd": {"members": 3}, "components": {"karmada-scheduler": {"replicas": 2}}})
    support = dict.fromkeys(OPTIONS, "")
    append_report(
        karmada,
        ConformanceReport((CheckResult("a", StepOutcome.PASS, 0.1, ""), CheckResult("b", StepOutcome.FAIL, 0.1, "no"))),
        root=tmp_path,
    )
    with (tmp_path / SupportMatrix.FILE).open("a") as file:
        file.write('{"deployer": "by_b')
    cut = SupportMatrix.read(tmp_path / SupportMatrix.FILE)

    assert json.loads((tmp_path / SupportMatrix.FILE).read_text().splitlines()[0])["failed"] == ["b"]
    assert cut.cell("etcd.members", "by_binary", support) == "fail"
    assert cut.cell("components.*.replicas", "by_binary", support) == "fail"
    assert cut.cell("profile", "by_binary", support) == "carried"
    assert cut.cell("etcd.members", "by_chart", support) == "carried"
    assert cut.cell("profile", "by_binary", {**support, "profile": "no"}) == "—"


def test_a_partly_supported_option_is_marked_and_not_refused_as_a_whole() -> None:
    spec = KarmadaSpec.model_validate({"components": {"etcd": {"flags": {"log-level": "warn"}}}})
    support = {"components.*.flags": CARRIED, "components.etcd.flags": f"{IN_PART}--log-level"}

    assert refusals(spec, support) == []
    assert verdict("components.*.flags", support) == "carried but for etcd (in part: --log-level)"


@pytest.mark.parametrize("name", [name for name in DEPLOYERS if name != "by_karmadactl"])
def test_what_one_path_alone_has_is_refused_on_the_others(name: str) -> None:
    spec = KarmadaSpec.model_validate({"by_karmadactl": {"config_file": True}})
    (said,) = refusals(spec, get_deployer(name).options)

    assert said.startswith("by_karmadactl.config_file: ")
    assert 'deployer = "by_karmadactl"' in said


def test_what_was_proven_is_of_options_and_deployers_that_there_are() -> None:
    lines = SupportMatrix.read(PROVEN).lines

    assert lines
    assert {line["deployer"] for line in lines} <= set(DEPLOYERS)
    known = {*ROWS, *(f"components.{name}.{key}" for name in COMPONENTS for key in OF_COMPONENTS)}
    assert {option for line in lines for option in line["options"]} <= known


def test_what_was_run_here_counts_after_what_was_proven(tmp_path: Path) -> None:
    line = {"deployer": "by_yaml", "options": ["profile"]}
    for name, outcome in (("proven", "pass"), ("here", "fail")):
        (tmp_path / name).write_text(json.dumps({**line, "outcome": outcome}) + "\n")

    assert SupportMatrix.read(tmp_path / "proven", tmp_path / "here").of("profile", "by_yaml") == "fail"
