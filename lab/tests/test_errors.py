"""What an error prints."""

from __future__ import annotations

from lab.errors import NotPossible, ProvisionError
from lab.tests.cli_fakes import World, invoke, world

__all__ = ["world"]


def test_an_error_before_creation_reports_that_nothing_was_created(world: World) -> None:
    world.error = NotPossible("no memory", remedy="fewer members")
    done = invoke("up")

    assert "nothing was created" in done.err
    assert "remedy: fewer members" in done.err


def test_what_was_noted_on_an_error_is_printed(world: World) -> None:
    world.error = ProvisionError("died")
    world.error.add_note("evidence: /somewhere")

    assert "evidence: /somewhere" in invoke("up").err
