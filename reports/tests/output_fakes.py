"""Steps and a failed test of the cell that outputs show."""

from __future__ import annotations

from reports.tests.results import failed, steps

UP = steps(("member1/etcd", 1000.0, 1002.0, []), ("member1", 1002.5, 1003.0, ["member1/etcd"]), up=4.0)
LOST = failed("AssertionError: assert 1 | 2 <b>", "E   AssertionError\n\nscenarios/test_join.py:1: AssertionError")
