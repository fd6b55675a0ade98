"""Texts that rules classify."""

from __future__ import annotations

WRONG = """workload = <Workloads>

    def test_b(workload):
        log = "No space left on device"     # a source line is no evidence
>       assert web.until_ready() == {"member1": 4}
E       AssertionError: assert {'member1': 2} == {'member1': 4}

scenarios/test_join.py:17: AssertionError"""
