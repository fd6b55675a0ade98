"""Outcomes of real runs make the matrix of supported options."""

from __future__ import annotations

import json
from pathlib import Path

from deployers.checks.conformance import CheckResult, ConformanceReport
from deployers.checks.support_matrix import PROVEN, ROWS, SupportMatrix, append_report
from deployers.deployer import DEPLOYERS
from deployers.options import OF_COMPONENTS, OPTIONS
from deployers.spec import COMPONENTS
from deployers.tests.control_plane_fakes import a_karmada
from lab.steps import StepOutcome


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
