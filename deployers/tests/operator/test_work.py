from __future__ import annotations

import json
import os

from deployers.operator.work import ReportSteps
from lab.steps import Step


def test_steps_are_reported_as_lines_of_json() -> None:
    reader, writer = os.pipe()
    report = ReportSteps(writer)
    step = Step("karmada/etcd", lambda: None)
    report.begins(step, left=2)
    report.ends(step, seconds=1.0, error=ValueError(), left=1)
    report.write(result={"members": {}})
    os.close(writer)
    with os.fdopen(reader) as lines:
        found = [json.loads(line) for line in lines]

    assert found == [
        {"event": "begin", "step": "karmada/etcd", "left": 2},
        {"event": "end", "step": "karmada/etcd", "left": 1, "failed": True},
        {"result": {"members": {}}},
    ]
