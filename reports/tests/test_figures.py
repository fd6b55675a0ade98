"""Results of benchmarks are read by their kind and schema."""

from __future__ import annotations

import json
from pathlib import Path

from reports.figures import Figure, read_figures


def test_a_failover_its_repetition_and_other_figures(tmp_path: Path) -> None:
    failover = {
        "schema": 1,
        "kind": "failover",
        "name": "failover small",
        "total_seconds": 10.0,
        "pods_per_second": None,
        "limit_ratio": 1.2,
    }
    failover |= {"seconds": {"detect": 3.0, "purge": None}, "verdict": "ok"}
    bench = {
        "schema": 1,
        "figures": [{"name": "lab up", "unit": "s", "samples": [3, 1, 2]}, {"name": "not measured", "unit": "s", "samples": []}],
    }
    for name, document in {"a/result.json": failover, "b/result.json": {**failover, "total_seconds": 14.0}, "bench.json": bench}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(document))

    figures, notes = read_figures(tmp_path)

    assert notes == []
    assert figures == [
        Figure("failover small: fault to all pods Ready", 12.0, "s", "ok"),
        Figure("failover small: against the limit", 1.2, "×"),
        Figure("failover small: phase detect", 3.0, "s"),
        Figure("bench: lab up", 2.0, "s"),
    ]


def test_another_schema_and_truncated_files_are_reported(tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text('{"schema": 2, "kind": "failover", "total_seconds": 1}')
    (tmp_path / "torn.json").write_text('{"schema": 1,')
    (tmp_path / "list.json").write_text("[1]")

    figures, notes = read_figures(tmp_path)

    assert figures == []
    assert [note.partition(" ")[0] for note in notes] == ["perf/list.json", "perf/new.json", "perf/torn.json"]
