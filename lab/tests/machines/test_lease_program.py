"""The program that renews leases says when a machine stops or starts to answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.machines.lease import read_owners
from lab.machines.lease_program import LeaseKeeper
from lab.machines.scripted import Scripted
from lab.run import Run


def test_each_change_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create("blue", {}, root=tmp_path)
    run.record("program-owners", "a", {"root": "/there"})
    monkeypatch.setattr("lab.machines.lease_program.open_machine", lambda *_: Scripted({("sh",): ""}, name="a"))
    said: list[str] = []
    keeper = LeaseKeeper(run, said.append)
    for _ in range(3):
        keeper.renew_all()
        keeper.renewing["a"].result()

    assert read_owners(run) == {"a": "/there"}
    assert [line.split(" ", 1)[1] for line in said] == ["a renewed"]
