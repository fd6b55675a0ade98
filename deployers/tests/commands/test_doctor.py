"""`lab doctor`: its exit code, and the lab file that it judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lab
from deployers.commands import doctor as command
from lab.tests.cli_fakes import invoke
from lab.tests.computer_fakes import Scripted
from lab.tests.doctor_fakes import NEEDS

CASES = Path(lab.__file__).parent / "tests" / "cases"


@pytest.mark.parametrize(("probe", "code"), [(Scripted(), 0), (Scripted(watchers=10_000), 3)])
def test_doctor_tells_by_its_exit_code(probe: Scripted, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Computer", lambda: probe)
    monkeypatch.setattr(command, "needs_of", lambda wanted, supply: NEEDS)
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: [])
    text, data = invoke("doctor"), invoke("doctor", "-o", "json")

    assert (text.code, data.code) == (code, code)
    report: Any = json.loads(data.out)
    assert report["schema"] == 1
    assert report["default_lab"] is (code == 0)
    assert {"name", "ok", "found", "enables", "remedy", "needed"} == set(report["findings"][0])


def test_doctor_judges_a_lab_file_as_up_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Computer", Scripted)
    monkeypatch.setattr(command, "needs_of", lambda wanted, supply: NEEDS)
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: [])
    wrong = str(CASES / "labels-kubernetes-refuses" / "zone.toml")

    for done in (invoke("doctor", "--spec", wrong), invoke("up", "--plan", "--spec", wrong), invoke("up", "--spec", wrong)):
        assert done.code == 2
        assert "members[0].nodes[0].zone" in done.err
    assert invoke("doctor", "--spec", str(CASES / "numeric-names" / "lab.toml")).code == 0
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: ["memory: too little"])
    assert invoke("doctor").code == invoke("up", "--plan").code == 3


def test_options_that_say_where_things_come_from_are_part_of_the_preflight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.providers.embedded.Embedded.check", lambda self, spec: [])
    done = invoke("up", "--plan", "--mirror", "mirror.example", "--image-registry", "r example", "--bundle", str(tmp_path / "none"))

    assert done.code == 2
    assert all(option in done.err for option in ("--mirror", "--image-registry", "--bundle"))
