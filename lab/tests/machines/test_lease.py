from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import CommandFailed
from lab.machines.lease import LEASE, PROGRAM, RENEW_EVERY, make_program, renew_lease
from lab.machines.scripted import Scripted, ScriptedFailure
from lab.run import Run


def test_a_lease_survives_several_lost_renewals() -> None:
    assert LEASE >= 3 * RENEW_EVERY


def test_a_directory_that_is_gone_ends_the_lease_and_a_host_that_is_gone_does_not() -> None:
    assert renew_lease(Scripted({("sh",): ""}), "/root")
    assert not renew_lease(Scripted({("sh",): ScriptedFailure(2, "No such file")}), "/root")
    with pytest.raises(CommandFailed):
        renew_lease(Scripted({("sh",): ScriptedFailure(None)}), "/root")


def test_the_lease_is_renewed_by_a_program_of_this_computer(tmp_path: Path) -> None:
    run = Run.create("blue", {}, root=tmp_path)

    assert make_program(run).name == PROGRAM
    assert make_program(run).argv[-1] == str(run.path)
