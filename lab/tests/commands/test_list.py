"""`lab list`, `lab export logs`, `lab version`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from lab import evidence
from lab.cli.options import Output
from lab.commands import export, version
from lab.commands import list as listing
from lab.errors import ProvisionError, UsageError
from lab.run import Run

ASKED = {"lab": {"provider": "embedded", "members": [{"name": "member1"}]}, "karmada": {"release": "1.18.2", "deployer": "by_binary"}}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    return tmp_path


def test_labs_are_listed_also_those_that_cannot_be_read(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Run.create("blue", ASKED, root=runs)
    (runs / "torn").mkdir()
    (runs / "torn" / "run.json").write_text("{")

    listing.list_labs(Output.json)
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)["labs"]}
    listing.list_labs(Output.text)

    assert (listed["blue"]["state"], listed["blue"]["karmada"], listed["blue"]["members"]) == ("stopped", "1.18.2", 1)
    assert listed["torn"]["state"] == "unreadable"
    assert "by_binary" in capsys.readouterr().out


def test_no_labs_is_no_error(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listing.list_labs(Output.text)
    assert str(runs) in capsys.readouterr().err


def test_evidence_of_a_lab_is_exported(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Run.create("blue", ASKED, root=runs)

    export.logs(tmp_path / "out", "blue")

    (made,) = (tmp_path / "out").iterdir()
    assert capsys.readouterr().out.strip() == str(made)
    assert (made / "index.json").is_file()


def test_a_file_is_no_target(runs: Path, tmp_path: Path) -> None:
    Run.create("blue", ASKED, root=runs)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError):
        export.logs(tmp_path / "file", "blue")


def test_an_export_that_wrote_nothing_fails(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Run.create("blue", ASKED, root=runs)
    monkeypatch.setattr(evidence, "collect", lambda *_, into: into / "nothing")
    with pytest.raises(ProvisionError):
        export.logs(tmp_path, "blue")


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    version.version(Output.json)
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == version.read_version()
    assert isinstance(export.app, typer.Typer)
