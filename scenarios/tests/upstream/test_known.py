"""`known.toml`: specs that are skipped here, and specs that fail, each with its reason and owner."""

from __future__ import annotations

import re

import pytest

from scenarios.tests.upstream.upstream_fakes import entry, spec
from scenarios.upstream.known import FILE, KnownSpecs, quote


def test_text_is_matched_as_it_is_and_a_pattern_as_one() -> None:
    assert entry(text="[a] (b)").matches(spec("x [a] (b) y"))
    assert not entry(text="[a] (b)").matches(spec("x a b y"))
    assert entry(pattern="a.*z$").matches(spec("a to z"))
    assert entry(label="slow").matches(spec("x", "slow"))
    assert not entry(label="slow").matches(spec("slow"))
    assert re.search(quote(odd := r"a\b.c+(d)[e]{f}^$|?*"), odd)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ({}, "pattern and label"),
        ({"text": "a", "label": "b"}, "pattern and label"),
        ({"pattern": "("}, "regular expression"),
        ({"text": "a", "owner": "nobody"}, "environment"),
        ({"text": "a", "why": "short"}, "at least 20"),
        ({"text": "a", "txet": "b"}, "Extra inputs"),
    ],
)
def test_an_entry_without_sense_is_refused(words: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        entry(**words)


def test_what_holds_elsewhere_is_not_applied() -> None:
    known = KnownSpecs(skip=(entry(text="a", providers=["kind"]), entry(text="b", releases=["1.17.1"]), entry(text="c")))

    assert [each.text for each in known.of(provider="embedded", release="1.18.2").skip] == ["c"]
    assert [each.text for each in known.of(provider="kind", release="1.17.1").skip] == ["a", "b", "c"]


def test_the_file_of_this_project_is_valid_and_no_reason_is_missing() -> None:
    known = KnownSpecs.load(FILE)

    assert known.skip
    assert len({each.selector for each in (*known.skip, *known.fails)}) == len(known.skip) + len(known.fails)
