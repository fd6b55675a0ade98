"""Text is decoded as what it is, whatever its first line says."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.encoding import CHUNK, decode

TEXT = '<a b="größer – déjà vu €"/>'


def decoded(content: bytes) -> str:
    return "".join(decode(io.BytesIO(content)))


def declaring(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>\n{TEXT}'


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("utf-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("ISO-8859-1", "cp1252"),
        ("latin1", "cp1252"),
        ("windows-1252", "cp1252"),
        ("iso-8859-15", "iso-8859-15"),
        ("us-ascii", "cp1252"),
        ("UTF-16", "utf-16"),
        ("UTF-16LE", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("utf-32", "utf-32-be"),
        ("GB18030", "gb18030"),
        # declarations that lie
        ("utf-8", "cp1252"),
        ("ISO-8859-1", "utf-8"),
        ("utf-8", "utf-16"),
        ("utf-8", "utf-16-le"),
        ("utf-16", "utf-8"),
        ("utf-16", "cp1252"),
        ("klingon", "utf-8"),
        ("klingon", "cp1252"),
        ("rot13", "utf-8"),
        ("idna", "cp1252"),
        ("unicode_escape", "cp1252"),
    ],
)
def test_a_text_is_read_whatever_is_declared(declared: str, written: str) -> None:
    text = declaring(declared) if written != "iso-8859-15" else declaring(declared).replace("–", "-")

    assert decoded(text.encode(written)) == text


@pytest.mark.parametrize("written", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_text_without_a_declaration_is_read(written: str) -> None:
    assert decoded(TEXT.encode(written)) == TEXT


def test_one_byte_that_is_wrong_costs_no_other_character() -> None:
    content = declaring("utf-8").encode().replace("é".encode(), b"\xe9")

    assert decoded(content) == declaring("utf-8")
    assert decoded(b"a\xed\xa0\x80b\x81c") == "a\ufffdb\ufffdc", "a surrogate, and a byte that no encoding here knows"


def test_a_character_is_not_cut_by_the_end_of_a_chunk() -> None:
    text = "a" * (CHUNK - 1) + "€" * CHUNK

    assert decoded(text.encode()) == text


@given(st.binary())
def test_no_bytes_are_an_error(content: bytes) -> None:
    decoded(content)
    decoded(declaring("ISO-8859-1").encode() + content)
    decoded(b"\xff\xfe" + content)
