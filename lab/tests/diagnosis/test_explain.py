"""The first cause becomes the first line, once."""

from __future__ import annotations

from lab.diagnosis.cause import Cause, Rank
from lab.diagnosis.explain import MOST, put_cause_first, render_causes
from lab.errors import ProvisionError

STOPPED = Cause(Rank.PROGRAM, "karmada/karmada-scheduler is stopped", "restart it")


def test_the_cause_is_the_first_line_and_brings_its_remedy() -> None:
    error = ProvisionError("not scheduled within 60 s", remedy="wait")

    put_cause_first(error, [STOPPED])

    assert str(error).splitlines()[0] == STOPPED.text
    assert "not scheduled within 60 s" in str(error)
    assert error.remedy == STOPPED.remedy


def test_an_error_that_names_the_subject_stays_as_it_is() -> None:
    error = ProvisionError("karmada/karmada-scheduler exited with 1")

    put_cause_first(error, [STOPPED])
    put_cause_first(error, [])

    assert error.what == "karmada/karmada-scheduler exited with 1"


def test_few_causes_are_shown_and_the_others_are_counted() -> None:
    lines = render_causes([STOPPED, *(Cause(Rank.SERVER, f"{number} fails") for number in range(10))])

    assert lines[0] == f"cause: {STOPPED.text}"
    assert len(lines) == MOST + 2
    assert lines[-1] == "remedy: restart it"
    assert render_causes([]) == []


def test_a_cluster_that_an_error_names_is_no_cause_yet() -> None:
    error = ProvisionError("the Deployment is on member1: not within 60 s")

    put_cause_first(error, [Cause(Rank.WORKLOAD, "member1 has no node for pod a/b: 0/1 nodes are available")])

    assert str(error).startswith("member1 has no node")
