"""Every verb and option is explained."""

from __future__ import annotations

from typing import Any

import pytest
import typer.main

from lab.verbs import app


def commands_of(group: Any, prefix: str = "") -> dict[str, Any]:
    """Every command by its full name."""
    found: dict[str, Any] = {}
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        found.update(commands_of(command, f"{prefix}{name} ") if hasattr(command, "commands") else {f"{prefix}{name}": command})
    return found


COMMANDS = commands_of(typer.main.get_command(app))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_word_is_explained(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        if parameter.name in {"help", "install_completion", "show_completion"}:
            continue
        assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_of_verbs_shows_whole_sentences(name: str) -> None:
    assert not COMMANDS[name].get_short_help_str(60).endswith("...")
