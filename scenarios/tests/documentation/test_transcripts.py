"""What documents show: commands exist, links lead somewhere, README is short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from lab.verbs import app
from scenarios.documentation.transcripts import ROOT, Transcript, lab_arguments, list_documents, read_transcripts

DOCUMENTS = list_documents()
TRANSCRIPTS = [each for file in DOCUMENTS for each in read_transcripts(file)]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")


def accept(arguments: list[str]) -> None:
    """Parse a command line of `lab` and run nothing; raise a usage error for what it does not accept."""
    command = typer.main.get_command(app)
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        found = command.get_command(None, arguments[0])  # type: ignore[attr-defined]
        assert found is not None, f"no command {arguments[0]}"
        command, arguments = found, arguments[1:]
    if arguments not in (["--help"], ["-h"]):
        command.make_context(command.name, arguments)


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda each: each.name)
def test_commands_of_documents_are_accepted(transcript: Transcript, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for line in transcript.commands:
        if (arguments := lab_arguments(line)) is not None:
            accept(arguments)


@pytest.mark.parametrize("transcript", [each for each in TRANSCRIPTS if each.file.name == "README.md"], ids=lambda each: each.name)
def test_a_block_of_readme_says_how_it_is_tested(transcript: Transcript) -> None:
    assert transcript.commands
    assert transcript.run == "lab" or transcript.run.startswith("no, ")


def test_a_transcript_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("text\n<!-- run: lab -->\n```console\n$ lab up \\\n    --lab a\nup\n$ ls\n```\n")
    (found,) = read_transcripts(file)
    assert (found.commands, found.run, found.line) == (("lab up      --lab a", "ls"), "lab", 3)
    assert lab_arguments(found.commands[0]) == ["up", "--lab", "a"]
    assert lab_arguments(".venv/bin/lab status  # a word") == ["status"]
    assert lab_arguments("ls 'a") is None


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_to_files(file: Path) -> None:
    text = re.sub(r"```.*?```", "", file.read_text(), flags=re.S)
    assert not [link for link in LINK.findall(text) if not (file.parent / link).exists()]


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
