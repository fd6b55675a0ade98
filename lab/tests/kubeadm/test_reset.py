"""Reset: what is left is an error, and the mark of the owner goes last."""

from __future__ import annotations

import pytest

from lab.errors import LeakError
from lab.kubeadm import paths, reset
from lab.machines.scripted import Scripted


def test_a_reset_that_leaves_something_is_a_leak() -> None:
    answers = ["", "", "mount /var/lib/kubelet/pods/x\n"]
    machine = Scripted({("sh", "-s"): lambda _: answers.pop(0)}, name="machine1")

    with pytest.raises(LeakError) as leak:
        reset.reset_node(machine)
    assert "mount" in str(leak.value.detail)


def test_a_machine_that_is_clean_is_reset_in_silence() -> None:
    machine = Scripted({("sh", "-s"): ""})

    reset.reset_node(machine)

    assert len(machine.done) == 3


def test_the_mark_of_the_owner_is_removed_after_all_else() -> None:
    assert reset.REMOVE.index(f"{paths.ROOT}\n") > reset.REMOVE.index("systemctl daemon-reload")
    assert paths.OWNER not in reset.UNDO
