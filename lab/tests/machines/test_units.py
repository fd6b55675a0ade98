"""Units: what they say of a program, and what is done with them on a machine."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import CommandFailed, ProvisionError, UsageError
from lab.machines import units
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.tests.units_fakes import PROGRAM

NAME = "karmada-lab.try.member1:etcd.service"
SHOW = ("systemctl", "show", "--property", "ActiveState", "--value", NAME)


def test_a_unit_is_named_for_its_run_and_its_program() -> None:
    assert units.unit_name("try", "member1/etcd") == NAME
    assert re.fullmatch(r"[a-zA-Z0-9:_.\\-]+", units.unit_name("a" * 40, "odd name/é"))


def test_a_unit_says_all_of_a_program() -> None:
    text = units.render_unit(PROGRAM, "try", lease=units.lease_unit("try"))

    assert 'ExecStart="/bin/etcd" "--a=b c" "--pct=100%%"\n' in text
    assert 'Environment="A=$x"\n' in text
    assert "BindsTo=karmada-lab.try.lease.service\n" in text
    assert "Restart=no\n" in text
    assert "Restart=always\n" in units.render_unit(PROGRAM, "try", restart=True)
    assert "BindsTo" not in units.render_unit(PROGRAM, "try")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=40))
def test_a_quoted_word_is_one_line_and_has_no_specifier_or_variable(text: str) -> None:
    quoted = units.quote(text)

    assert quoted[0] == quoted[-1] == '"'
    assert "\n" not in quoted
    assert not re.search(r"(?<!%)(%%)*%(?!%)", quoted)
    assert quoted.count("$") == 2 * text.count("$")


def test_a_unit_that_runs_as_it_should_is_left_alone() -> None:
    text = units.render_unit(PROGRAM, "try")
    machine = Scripted({SHOW: "active\n", ("cat",): text})

    units.start_unit(machine, NAME, text)

    assert [done.args[0] for done in machine.done] == ["systemctl", "cat"]


def test_a_unit_that_runs_otherwise_is_an_error_and_is_left_alone() -> None:
    machine = Scripted({SHOW: "active\n", ("cat",): "other"})

    with pytest.raises(ProvisionError, match="arguments"):
        units.start_unit(machine, NAME, units.render_unit(PROGRAM, "try"))
    assert "tee" not in machine.transcript()


def test_a_unit_is_written_before_it_is_started() -> None:
    machine = Scripted({SHOW: "inactive\n", ("tee",): "", ("systemctl",): ""})

    units.start_unit(machine, NAME, "text")

    verbs = [done.args[:2] for done in machine.done]
    assert verbs.index(("tee", f"{units.FOLDER}/{NAME}")) < verbs.index(("systemctl", "daemon-reload"))
    assert verbs[-1] == ("systemctl", "start")


def test_stopping_what_never_was_is_a_usage_error() -> None:
    machine = Scripted({("cat",): ScriptedFailure(1, "cat: x: No such file or directory")})

    with pytest.raises(UsageError):
        units.stop_unit(machine, NAME)


def test_a_program_that_does_not_heed_term_is_killed() -> None:
    states = ["deactivating", "deactivating", "inactive"]
    machine = Scripted({SHOW: lambda _: states.pop(0), ("cat",): "x", ("systemctl",): ""})

    units.stop_unit(machine, NAME, within=0.0)

    assert ("systemctl", "kill", "--signal", "KILL", NAME) in [done.args for done in machine.done]


def test_the_units_of_another_run_are_left_alone() -> None:
    other = units.unit_name("try-2", "member1/etcd")
    machine = Scripted({("find",): f"{NAME}\n{other}\nssh.service\n", ("systemctl",): "", ("rm",): ""})

    assert units.remove_units(machine, "try") == [NAME]
    assert other not in machine.transcript()


@pytest.mark.parametrize(("ended", "status"), [("203", None), ("1", 1)])
def test_a_program_that_cannot_be_executed_has_no_status(ended: str, status: int | None) -> None:
    machine = Scripted(
        {
            SHOW: "inactive\n",
            ("tee",): "",
            ("systemctl",): "",
            ("systemctl", "start"): ScriptedFailure(1, "Job failed"),
            ("journalctl",): "No such file or directory",
            ("systemctl", "show", "--property", "ExecMainStatus"): ended,
        }
    )
    with pytest.raises(CommandFailed, match="No such file") as caught:
        units.start_unit(machine, NAME, "text")

    assert caught.value.status == status
