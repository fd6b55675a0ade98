"""The table of verbs says what each verb says of itself."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest
import typer

from lab.cli.app import EXIT_CODES, Verb
from lab.verbs import SECTIONS

VERBS = [verb for section in SECTIONS for verb in section.verbs]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_line_of_help_is_the_first_of_the_verb(verb: Verb) -> None:
    module, _, attribute = verb.target.partition(":")
    found = getattr(import_module(module), attribute)
    text = verb.load().help if isinstance(found, typer.Typer) else inspect.getdoc(found)

    assert text
    assert " ".join(text.split("\n\n")[0].split()) == verb.help


def test_a_verb_stands_once() -> None:
    assert len({verb.name for verb in VERBS}) == len(VERBS)


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 6, 7, 130])
def test_every_exit_code_is_listed(code: int) -> None:
    assert f"{code} " in EXIT_CODES or f"{code}/" in EXIT_CODES
