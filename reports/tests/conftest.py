from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.tests.output_fakes import LOST, UP
from reports.tests.results import PASSED, cell, skipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One cell that failed, one that left nothing, and one that was broken off."""
    result = {
        "uuid": "u1",
        "historyId": "h1",
        "fullName": "scenarios.test_join#test_b",
        "name": "test_b",
        "status": "failed",
        "start": 1,
        "stop": 2,
    }
    result |= {
        "statusDetails": {"message": "AssertionError"},
        "labels": [{"name": "suite", "value": "test_join"}, {"name": "host", "value": "vm"}],
    }
    skip = {**result, "uuid": "u4", "name": "test_d", "status": "skipped", "statusDetails": {"message": "Skipped: unknown: no kernel"}}
    evidence = "evidence/20260101T000000-test_b"
    cell(
        tmp_path,
        PASSED,
        LOST,
        skipped("needs PODS"),
        skipped("unknown: no kernel", name="test_d"),
        journal=UP,
        files={
            "allure-results/u1-result.json": json.dumps(result),
            "allure-results/u4-result.json": json.dumps(skip),
            f"{evidence}/logs/member1/etcd.log": "one\n",
            "allure-results/torn-result.json": "{",
        },
        outcome="fail",
        exit_code=1,
    )
    page = {"perf/trial/report.html": "<p>a timeline</p>"}
    cell(tmp_path, name="kind-by_chart-1-2-core", files=page, outcome="unknown", reason="no KVM | here", exit_code=3)
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "cell.json").write_text("{")
    return tmp_path
