"""The blocks of README that are marked `run: lab` work as they are printed, one command after the other."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.environment import inherit_all
from lab.run import Run, runs_root
from lab.take_down import take_down
from scenarios.documentation.transcripts import ROOT, Transcript, lab_arguments, read_transcripts

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("readme")]
BLOCKS = [each for each in read_transcripts(ROOT / "README.md") if each.run == "lab"]


@pytest.fixture
def name() -> Iterator[str]:
    """Yield the name of the lab that the commands mean; it is taken down when they have not."""
    name = f"readme-{secrets.token_hex(3)}"
    yield name
    if (runs_root() / name / "run.json").exists():
        take_down(Run.load(name))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_works_as_it_is_printed(block: Transcript, name: str, tmp_path: Path) -> None:
    env = {**inherit_all(), "KARMADA_LAB": name, "KARMADA_LAB_RUNS": str(runs_root()), "PYTHONPATH": str(ROOT)}
    for line in block.commands:
        arguments = lab_arguments(line)
        assert arguments is not None, line
        command = [sys.executable, "-m", "lab", *arguments]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{line}\n{done.stderr}"

    assert not (runs_root() / name).exists()


def test_readme_has_such_a_block() -> None:
    assert BLOCKS
