"""Failures are classified by owner with rules from a file, each with a proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.errors import UsageError
from reports.cell import find_cells
from reports.classify import RULES, Classification, Owner, classify, load_rules
from reports.evaluate import evaluate_cell
from reports.failure import Failure
from reports.flakes import Flakes
from reports.tests.classify_fakes import WRONG
from reports.tests.results import PASSED, cell, failed, steps

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


@pytest.mark.parametrize(
    ("code", "verdict"), [(1, (Owner.PRODUCT, "conformance")), (2, (Owner.HARNESS, "usage-code")), (7, (Owner.HARNESS, "leak"))]
)
def test_a_cell_of_which_no_test_failed(tmp_path: Path, code: int, verdict: tuple[Owner, str]) -> None:
    assert judged(tmp_path, PASSED, exit_code=code) == [verdict]


def test_a_checkout_that_does_not_compile_is_the_products(tmp_path: Path) -> None:
    log = "compiling the checkout of karmada failed\n  where:  ./karmada\n  | pkg/x.go:1: undefined: y\n  remedy: …\n"

    assert judged(tmp_path, exit_code=4, files={"logs/1-up.log": log}) == [(Owner.PRODUCT, "not-compiled")]


@pytest.mark.parametrize(("values", "rule"), [({"exit_code": 6}, "slower"), ({}, "benchmark")])
def test_a_benchmark_that_missed_its_target(tmp_path: Path, values: dict[str, int], rule: str) -> None:
    perf = {"schema": 1, "kind": "failover", "name": "failover small", "total_seconds": 90, "verdict": "missed"}

    assert judged(tmp_path, files={"perf/a.json": json.dumps(perf)}, **{"exit_code": None, **values}) == [(Owner.PRODUCT, rule)]


def test_evidence_of_another_test_proves_nothing(tmp_path: Path) -> None:
    files = {"evidence/20260101T000000-test_z/logs/member1/etcd.log": "no space left on device\n"}

    assert judged(tmp_path, failed("AssertionError: assert 1", WRONG), files=files) == [(Owner.PRODUCT, "assertion")]


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
