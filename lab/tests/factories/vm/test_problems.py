from __future__ import annotations

import pytest

from lab.computer import Answer
from lab.factories.vm import problems
from lab.factories.vm.problems import PROGRAMS, vm_problems
from lab.tests.computer_fakes import Scripted


@pytest.fixture(autouse=True)
def with_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "find_spec", lambda _: object())


def test_programs_that_are_missing_are_named_first_with_the_remedy() -> None:
    (problem,) = vm_problems(Scripted(programs={"virsh"}))

    assert all(name in problem.why for name in PROGRAMS if name != "virsh")
    assert "setup-libvirt" in f"{problem.why} {problem.remedy}"


def test_a_missing_python_client_and_daemon_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "find_spec", lambda _: None)
    answers = {"virsh --quiet": Answer(1, "failed to connect"), "id -u": Answer(0, "1000")}
    found = [problem.why for problem in vm_problems(Scripted(programs=set(PROGRAMS), answers=answers))]

    assert any("libvirt-python" in why for why in found)
    assert any("does not answer" in why for why in found)
    assert any("root" in why for why in found)
