from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import ProvisionError
from lab.factories.vm.waiting import until_up
from lab.wait import NotYet


class Domain:
    def __init__(self, *, active: bool) -> None:
        self.active = active

    def isActive(self) -> bool:  # noqa: N802 (libvirt's)
        return self.active


def refuse() -> None:
    raise NotYet("nothing listens on port 22")


def test_a_machine_that_ended_is_not_waited_for_and_its_console_says_why(tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.write_text("booting\ninitramfs: mounting /dev/vda failed\nKernel panic - not syncing\n")

    with pytest.raises(ProvisionError) as caught:
        until_up(Domain(active=False), console, refuse, what="logging in to m1", within=600.0)
    assert "Kernel panic" in caught.value.what
    assert "initramfs" in (caught.value.detail or "")


def test_a_machine_that_never_answers_is_reported_with_the_last_state(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError) as caught:
        until_up(Domain(active=True), tmp_path / "absent", refuse, what="logging in to m1", within=0.0)
    assert "port 22" in caught.value.what
    assert caught.value.where == str(tmp_path / "absent")
