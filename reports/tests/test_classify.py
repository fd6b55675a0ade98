"""Failures are classified by owner with rules from a file, each with a proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.steps import StepOutcome
from reports.cell import find_cells
from reports.classify import RULES, Classification, Owner, classify, load_rules
from reports.evaluate import evaluate_cell
from reports.failure import Failure
from reports.flakes import Flakes
from reports.junit_results import read_results
from reports.tests.results import PASSED, cell, failed, steps

WRONG = """workload = <Workloads>

    def test_b(workload):
        log = "No space left on device"     # a source line is no evidence
>       assert web.until_ready() == {"member1": 4}
E       AssertionError: assert {'member1': 2} == {'member1': 4}

scenarios/test_join.py:17: AssertionError"""
RAN_OUT = """
scenarios/test_join.py:31:
_ _ _
lab/wait.py:66: in until
E       lab.errors.NotReady: it is on member2: not within 4 s
E         where:  last seen: no Deployment yet (unchanged for 3.8 s)

lab/wait.py:83: NotReady"""
MISTAKE = "E       AttributeError: 'Workload' object has no attribute 'x'\n\nscenarios/test_join.py:35: AttributeError"
UPSTREAM = """Timed out after 420 s. (cluster.go:9)
upstream's own end-to-end suite, remedy_test.go:64: remedy testing it remedies

I1124 wait.go:3] dial tcp 127.0.0.1:443: connect: network is unreachable"""
OWN = "E       assert 1 == 2\n\nlab/tests/test_steps.py:9: AssertionError"
BUG = "scenarios/test_join.py:3: in test_b\nE   KeyError: 'x'\n\ndeployers/join.py:35: KeyError"


def judged(tmp_path: Path, *cases: str, **more: object) -> list[tuple[Owner, str]]:
    path = cell(tmp_path, *cases, **{"outcome": "fail", "exit_code": 1, **more})  # type: ignore[arg-type]
    (found,) = find_cells([path])
    return [(each.classification.owner, each.classification.rule) for each in evaluate_cell(found, Flakes()).failures]


@pytest.mark.parametrize(
    ("message", "text", "verdict"),
    [
        ("AssertionError: assert {'member1': 2} == {'member1': 4}", WRONG, (Owner.PRODUCT, "assertion")),
        ("lab.errors.NotReady: it is on member2: not within 4 s", RAN_OUT, (Owner.PRODUCT, "never-true")),
        ("AttributeError: 'Workload' object has no attribute 'x'", MISTAKE, (Owner.TEST, "mistake")),
        ("assert 1 == 2", OWN, (Owner.HARNESS, "own-tests")),
        ("KeyError: 'x'", BUG, (Owner.HARNESS, "own-code")),
        ("cause: karmada/karmada-scheduler exited with 2: panic: x", "", (Owner.PRODUCT, "karmada-crashed")),
        ("cause: member1/kwok is paused by a signal (pid 7)", "", (Owner.HARNESS, "program-not-running")),
        ("OSError: [Errno 28] No space left on device", "", (Owner.INFRASTRUCTURE, "disk")),
        ("lab.errors.LeakError: not all of it is gone", "", (Owner.HARNESS, "leak-in-output")),
        ("Timed out after 420 s. (cluster.go:9)", UPSTREAM, (Owner.PRODUCT, "upstream-suite")),
        ("something new under the sun", "", (Owner.HARNESS, "none")),
    ],
)
def test_a_failed_test(tmp_path: Path, message: str, text: str, verdict: tuple[Owner, str]) -> None:
    assert judged(tmp_path, failed(message, text)) == [verdict]


@pytest.mark.parametrize(
    ("step", "error", "kind", "verdict"),
    [
        ("karmada/webhook", "karmada/webhook exited with 2 before it was ready", "ComponentExited", (Owner.PRODUCT, "component-exited")),
        ("karmada/webhook", "karmada/webhook exited with 1 before it was ready\nunknown flag: --x", "", (Owner.HARNESS, "unknown-flag")),
        ("member1/etcd", "member1/etcd killed by signal 9 before it was ready", "ComponentExited", (Owner.INFRASTRUCTURE, "killed")),
        ("member1/etcd", "member1/etcd exited with 1 before it was ready", "ComponentExited", (Owner.HARNESS, "provisioning")),
        ("karmada/crds", "the CRDs are established: not within 60 s", "NotReady", (Owner.PRODUCT, "karmada-not-ready")),
        ("host/etcd", "host/etcd exited with 1 before it was ready\nbind: address already in use", "", (Owner.INFRASTRUCTURE, "port")),
        ("m/node", "kind: 1\nerror during connect: Post http://x: EOF", "CommandFailed", (Owner.INFRASTRUCTURE, "virtualisation")),
        ("member1/image", "download of kubelet timed out", "ProvisionError", (Owner.INFRASTRUCTURE, "download")),
        ("karmada/crds", "'spec'", "KeyError", (Owner.HARNESS, "bug")),
    ],
)  # fmt: skip
def test_a_failed_step(tmp_path: Path, step: str, error: str, kind: str, verdict: tuple[Owner, str]) -> None:
    assert judged(tmp_path, journal=steps((step, 0.0, 1.0, []), error=error, kind=kind)) == [verdict]


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
    ("code", "verdict"), [(1, (Owner.PRODUCT, "conformance")), (2, (Owner.HARNESS, "usage-code")), (7, (Owner.HARNESS, "leak"))]
)
def test_a_cell_of_which_no_test_failed(tmp_path: Path, code: int, verdict: tuple[Owner, str]) -> None:
    assert judged(tmp_path, PASSED, exit_code=code) == [verdict]


REFUSED = "it cannot be had\n  | download: 127.0.0.1:9 cannot be reached: [Errno 111] Connection refused\n  remedy: …\n"


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


def test_a_checkout_that_does_not_compile_is_the_products(tmp_path: Path) -> None:
    log = "compiling the checkout of karmada failed\n  where:  ./karmada\n  | pkg/x.go:1: undefined: y\n  remedy: …\n"

    assert judged(tmp_path, exit_code=4, files={"logs/1-up.log": log}) == [(Owner.PRODUCT, "not-compiled")]


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


@pytest.mark.parametrize(("values", "rule"), [({"exit_code": 6}, "slower"), ({}, "benchmark")])
def test_a_benchmark_that_missed_its_target(tmp_path: Path, values: dict[str, int], rule: str) -> None:
    perf = {"schema": 1, "kind": "failover", "name": "failover small", "total_seconds": 90, "verdict": "missed"}

    assert judged(tmp_path, files={"perf/a.json": json.dumps(perf)}, **{"exit_code": None, **values}) == [(Owner.PRODUCT, rule)]


def test_evidence_of_another_test_proves_nothing(tmp_path: Path) -> None:
    files = {"evidence/20260101T000000-test_z/logs/member1/etcd.log": "no space left on device\n"}

    assert judged(tmp_path, failed("AssertionError: assert 1", WRONG), files=files) == [(Owner.PRODUCT, "assertion")]


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


@pytest.mark.parametrize("because", ['class = "weather"', 'class = "test"', 'class = "test"\ntext = "("', 'class = "test"\ntxt = "c"'])
def test_a_wrong_rule_is_named(tmp_path: Path, because: str) -> None:
    (tmp_path / "rules.toml").write_text(f'[[rule]]\nname = "a"\nbecause = "b"\n{because}\n')

    with pytest.raises(UsageError, match="'a'"):
        load_rules(tmp_path / "rules.toml")


def test_only_infrastructure_is_retried() -> None:
    rules = load_rules(RULES)
    assert len({rule.name for rule in rules}) == len(rules)
    for rule in rules:
        assert Classification(rule.owner, rule.name, rule.because).may_retry == (rule.owner.value == "infrastructure")
    assert not classify(Failure("c", "test", "t", "x", "x"), []).may_retry
