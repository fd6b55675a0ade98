"""What `lab up` prints at its end: commands that can be typed for this lab."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from deployers.commands.up import first_context, next_commands, summary
from lab.status.lab_status import LabStatus, MemberStatus, ProgramStatus
from lab.terminal.text import Look


def lab_with(*programs: str, members: tuple[MemberStatus, ...] | None) -> LabStatus:
    """Return a lab that runs these programs."""
    parts = tuple(ProgramStatus(name.partition("/")[0], name.partition("/")[2], "running", ok=True) for name in programs)
    return LabStatus("blue", "/runs/blue", "up", 0.0, parts, members)


def arguments_of(seen: LabStatus, context: str, verb: str) -> list[list[str]]:
    """Return the command lines of one verb that are printed, each as the shell splits it."""
    lines = [
        shlex.split(line.partition("   ")[0] if "eval" not in line else "")
        for line in (text.strip() for text in next_commands(seen, context))
    ]
    return [line for line in lines if verb in line]


@pytest.mark.parametrize(
    ("members", "context"), [([], "karmada-host"), ([{"name": "1234e56"}], "1234e56"), ([{"name": "b"}, {"name": "a"}], "b")]
)
def test_the_nodes_of_a_cluster_that_the_lab_has_are_offered(members: list[dict[str, str]], context: str) -> None:
    assert first_context({"members": members}) == context
    offered = arguments_of(lab_with("host/etcd", members=()), context, "nodes")
    assert [line[-2:] for line in offered] == [["--context", context]]


def test_logs_of_karmada_are_offered_only_where_its_programs_write_them() -> None:
    with_programs = lab_with("karmada/etcd", members=(MemberStatus("b", "push", ready=True),))
    without = lab_with("host/etcd", members=None)
    in_pods = lab_with("host/node", members=())
    assert ["karmada" in line for line in arguments_of(with_programs, "b", "logs")] == [True]
    assert ["karmada" in line for seen in (without, in_pods) for line in arguments_of(seen, "b", "logs")] == [False, False]


def test_memory_counts_only_programs_that_were_measured() -> None:
    seen = lab_with("host/etcd", "host/kube-apiserver", "member1/etcd", members=None)
    measured = replace(seen, rss=2048, components=(replace(seen.components[0], rss=2048), *seen.components[1:]))

    (line,) = [line for line in summary(measured, "karmada-host", seconds=1.0, changed=True, look=Look()) if "memory" in line]

    assert "in 1 program; 2 more" in line
