"""Plan and run upstream's suite by pytest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.terminal.text import Look
from scenarios.tests.upstream.upstream_fakes import WHY, entry, spec
from scenarios.upstream import command
from scenarios.upstream.known import KnownSpecs
from scenarios.upstream.plan import make_plan


def test_a_plan_is_shown_with_the_reasons() -> None:
    planned = make_plan([spec("a"), spec("b"), spec("c")], KnownSpecs(skip=(entry(text="b"),), fails=(entry(text="c"),)))

    assert command.plan_text(planned, look=Look()).splitlines() == [
        "FILE    SPEC",
        "search  a",
        "search  b",
        f"    not run; environment: {WHY}",
        "search  c",
        f"    fails; environment: {WHY}",
        "2 of 3 specs are run, 1 are not",
    ]
    assert json.loads(json.dumps(command.make_document(planned)))["specs"][1]["skip"] == {"owner": "environment", "why": WHY}


def test_a_lab_that_is_there_has_a_release_of_its_own() -> None:
    for words in ({"release": "1.18.1"}, {"release": None, "provider": "kind"}):
        with pytest.raises(UsageError, match="--lab"):
            command.read_target(command.SuiteRequest("", "mine", None, artifacts=Path(), **words))


def test_the_same_lab_file_serves_where_pods_are_real() -> None:
    asked = command.SuiteRequest("", None, None, None, Path(), provider="kind")

    assert command.read_target(asked) == ("1.18.2", "kind")
    assert asked.args[:4] == ["--lab-spec", str(command.LAB), "--lab-provider", "kind"]
