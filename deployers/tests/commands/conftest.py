from __future__ import annotations

from pathlib import Path

import pytest

from lab.tests.cli_fakes import World, world

__all__ = ["world"]


@pytest.fixture
def clients(world: World, tmp_path: Path) -> Path:
    """The bin directory of a lab, linked already."""
    folder = world.run().folder("bin")
    program = tmp_path / "kubectl"
    program.write_text("")
    (folder / "kubectl").symlink_to(program)
    return folder
