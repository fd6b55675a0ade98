"""Options of verbs: a duration gives seconds, and the fields of a request are the options of its verb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from lab.cli.options import duration, option, take_options


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The options of the verb of this test."""

    name: Annotated[str, option("--name", help="A name.")] = "one"
    within: Annotated[float, duration("--within", help="How long.", zero=False)] = 60.0


@pytest.fixture
def given() -> list[Wait]:
    return []


@pytest.fixture
def app(given: list[Wait]) -> typer.Typer:
    made = typer.Typer()
    made.command()(take_options(Wait)(given.append))
    return made


def test_fields_of_a_request_are_options(app: typer.Typer, given: list[Wait]) -> None:
    assert CliRunner().invoke(app, []).exit_code == 0
    assert CliRunner().invoke(app, ["--name", "two", "--within", "2m"]).exit_code == 0

    assert given == [Wait(), Wait(name="two", within=120.0)]


@pytest.mark.parametrize("text", ["0", "soon", "-1s"])
def test_what_is_no_duration_is_a_usage_error(app: typer.Typer, given: list[Wait], text: str) -> None:
    assert CliRunner().invoke(app, ["--within", text]).exit_code == 2
    assert given == []
