"""A failure: what failed, its first cause in one sentence, and its evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.steps import StepOutcome
from reports.cell import find_cells
from reports.classify import Owner
from reports.evaluate import evaluate_cell
from reports.flakes import Flakes
from reports.junit_results import read_results
from reports.tests.classify_fakes import WRONG
from reports.tests.results import PASSED, cell, failed, steps

REFUSED = "it cannot be had\n  | download: 127.0.0.1:9 cannot be reached: [Errno 111] Connection refused\n  remedy: …\n"


def test_a_log_of_the_evidence_proves_it(tmp_path: Path) -> None:
    folder = "evidence/20260101T000000-test_b"
    files = {
        f"{folder}/index.json": '{"reason": "test_b"}',
        f"{folder}/logs/member1/etcd.log": "fine\nwal: write: no space left on device\nfine\n",
    }
    path = cell(tmp_path, failed("AssertionError: assert 1", WRONG), files=files, outcome="fail", exit_code=1)

    (one,) = evaluate_cell(find_cells([path])[0], Flakes()).failures

    assert one.classification.owner is Owner.INFRASTRUCTURE
    assert one.classification.may_retry
    proof = one.classification.proofs[-1]
    assert (proof.where, proof.line) == ("20260101T000000-test_b/logs/member1/etcd.log", "wal: write: no space left on device")


def test_an_engine_that_was_gone_when_evidence_was_collected_is_the_infrastructure_s(tmp_path: Path) -> None:
    why = "docker exec ended with 1\n  | Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
    index = {"reason": "test_b", "missing": {"nodes/member1": why}}
    files = {"evidence/20260101T000000-test_b/index.json": json.dumps(index)}
    path = cell(tmp_path, failed("AssertionError: assert 1", WRONG), files=files, outcome="fail", exit_code=1)

    (one,) = evaluate_cell(find_cells([path])[0], Flakes()).failures

    assert (one.classification.owner, one.classification.rule) == (Owner.INFRASTRUCTURE, "virtualisation-in-evidence")
    assert one.classification.proofs[-1].where.endswith("/index.json")


@pytest.mark.parametrize(
    ("log", "rule"),
    [
        (REFUSED, "download"),
        ("docker: Cannot connect to the Docker daemon at unix:///x.\n  remedy: …\n", "virtualisation"),
        ("there is no /dev/kvm\n  remedy: …\n", "not-possible"),
    ],
)
def test_a_cell_that_was_not_possible_is_unknown_and_has_its_cause(tmp_path: Path, log: str, rule: str) -> None:
    path = cell(tmp_path, files={"logs/1-up.log": log}, outcome="unknown", exit_code=3, reason="not possible on this machine")

    examined = evaluate_cell(find_cells([path])[0], Flakes())

    assert (examined.outcome, examined.may_retry) == (StepOutcome.UNKNOWN, True)
    assert [(each.classification.owner, each.classification.rule) for each in examined.failures] == [(Owner.INFRASTRUCTURE, rule)]


def test_a_cell_that_was_interrupted_has_no_failure(tmp_path: Path) -> None:
    path = cell(tmp_path, PASSED, outcome="unknown", exit_code=143, reason="interrupted")

    assert evaluate_cell(find_cells([path])[0], Flakes()).failures == ()


def test_programs_that_exited_are_listed(tmp_path: Path) -> None:
    rows = [
        {"name": "karmada/karmada-scheduler", "state": "running", "restarts": 2, "status": -9},
        {"name": "member1/etcd", "state": "exited", "restarts": 0, "status": 2},
        {"name": "host/etcd", "state": "running", "restarts": 0, "status": None},
    ]
    files = {"evidence/20260101T000000-test_b/components.json": json.dumps(rows)}
    path = cell(tmp_path, failed("AssertionError: assert 1", WRONG), files=files, outcome="fail", exit_code=1)

    (one,) = evaluate_cell(find_cells([path])[0], Flakes()).failures

    assert one.failure.program_troubles == (
        "karmada/karmada-scheduler was restarted 2 times, its last status -9",
        "member1/etcd exited with status 2",
    )


def test_the_first_cause_of_a_program_that_exited_is_its_log(tmp_path: Path) -> None:
    error = "karmada/webhook exited with 1 before it was ready\n  where: x.log\n  | --a  help\n  | Error: unknown flag: --x\n  | --b  help"
    path = cell(
        tmp_path, journal=steps(("karmada/webhook", 0.0, 1.0, []), error=error, kind="ComponentExited"), outcome="fail", exit_code=4
    )

    (one,) = evaluate_cell(find_cells([path])[0], Flakes()).failures

    assert one.failure.cause == "karmada/webhook exited with 1 before it was ready; Error: unknown flag: --x"


def test_tests_without_a_lab_are_consequences_of_the_step_that_failed(tmp_path: Path) -> None:
    nolab = "no lab: member1/etcd exited with 1 (in full: the first error, and the summary)"
    path = cell(
        tmp_path,
        failed(nolab, name="test_1"),
        failed(nolab, name="test_2"),
        journal=steps(("member1/etcd", 0.0, 1.0, []), error="member1/etcd exited with 1 before it was ready", kind="ComponentExited"),
        outcome="fail",
        exit_code=4,
    )

    (one,) = evaluate_cell(find_cells([path])[0], Flakes()).failures

    assert one.failure.name == "member1/etcd"
    assert one.failure.others == ("scenarios.test_join::test_1", "scenarios.test_join::test_2")


def test_a_failure_has_its_phase_and_cause(tmp_path: Path) -> None:
    path = cell(tmp_path, failed('failed on setup with "lab.errors.NotReady: it serves: not within 4 s"', "E   x"))
    (case,) = read_results(path / "junit.xml").cases

    assert (case.phase, case.message) == ("setup", "lab.errors.NotReady: it serves: not within 4 s")
