"""The machine of unit tests answers from a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import CommandFailed, ProvisionError, UsageError
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.program import Program

ETCD = Program("member1/etcd", ("etcd", "--name=a b"), Path("/logs/etcd.log"))


def test_a_scripted_machine_answers_by_the_longest_beginning() -> None:
    machine = Scripted({("kubectl",): "any", ("kubectl", "version"): "v1.35.4", ("kubectl", "get"): lambda argv: argv[-1]})

    assert machine.run(["kubectl", "version", "-o", "json"]).stdout == "v1.35.4"
    assert machine.run(["kubectl", "api-resources"]).stdout == "any"
    assert machine.run(["kubectl", "get", "nodes"]).stdout == "nodes"


def test_a_scripted_failure_is_the_error_a_real_one_would_be() -> None:
    machine = Scripted({("karmadactl", "join"): ScriptedFailure(1, "already exists")}, name="host1")
    with pytest.raises(CommandFailed, match="already exists") as caught:
        machine.run(["karmadactl", "join", "member1"])

    assert (caught.value.status, caught.value.machine) == (1, "host1")


def test_a_strict_script_has_no_answer_to_what_it_does_not_know() -> None:
    with pytest.raises(UsageError, match="rm -rf /"):
        Scripted().run(["rm", "-rf", "/"])

    assert Scripted(strict=False).run(["rm", "-rf", "/"]).stdout == ""


def test_the_transcript_reads_like_what_one_would_type() -> None:
    machine = Scripted(strict=False)
    machine.put(Path("a"), Path("/etc/b"))
    machine.run(["kubectl", "apply", "-f", "-"], input="kind: Pod")
    machine.start(ETCD)
    machine.stop("member1/etcd", kill=True)
    machine.get(Path("/etc/b"), Path("c"))

    expected = "put a /etc/b\nkubectl apply -f -\nstart member1/etcd etcd '--name=a b'\nstop member1/etcd --kill\nget /etc/b c\n"
    assert machine.transcript() == expected
    assert machine.done[1].input == b"kind: Pod"


def test_a_scripted_machine_knows_what_it_started() -> None:
    machine = Scripted()
    machine.start(ETCD)
    machine.start(ETCD)
    with pytest.raises(ProvisionError):
        machine.start(Program("member1/etcd", ("etcd", "--other"), Path("/logs/etcd.log")))
    with pytest.raises(UsageError):
        machine.stop("member2/etcd")
    machine.stop("member1/etcd")

    assert machine.programs == {"member1/etcd": None}
