from __future__ import annotations

import codecs
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.documents import decode, parse_toml, read_toml
from lab.errors import UsageError

TEXT = 'name = "Zürich"\r\n[[members]]\r\nname = "member1"\r\n'
WANTED = {"name": "Zürich", "members": [{"name": "member1"}]}


@pytest.mark.parametrize("data", [TEXT.encode(), codecs.BOM_UTF8 + TEXT.encode(), codecs.BOM_UTF8 + TEXT.replace("\r", "").encode()])
def test_utf_8_is_read_with_and_without_its_mark(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "iso8859-1")
    (tmp_path / "lab.toml").write_bytes(data)
    assert read_toml(tmp_path / "lab.toml", what="the lab file") == WANTED


def test_a_file_that_is_a_mark_and_nothing_else_is_empty() -> None:
    assert parse_toml(codecs.BOM_UTF8) == {}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16 without"),
        (TEXT.encode("utf-16-be"), "UTF-16 without"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "UTF-32"),
        (b"a = 1\n" + 'b = "Zürich"\n'.encode("latin-1"), "line 2, byte 0xfc"),
        (b'a = "\xf0\x9f\x98"\n', "line 1"),
        (codecs.BOM_UTF8 + codecs.BOM_UTF8 + TEXT.encode(), "line 1"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"a = " + b"9" * 5000, "4300 digits"),
        (b"a = 1\na = 2\n", "line 2"),
    ],
)
def test_another_encoding_or_no_toml_is_a_usage_error_with_its_reason(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "lab.toml").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_toml(tmp_path / "lab.toml", what="the lab file")
    assert said in str(caught.value)
    assert caught.value.where == str(tmp_path / "lab.toml")


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="directory"):
        read_toml(tmp_path, what="the lab file")


@given(st.binary())
def test_any_bytes_are_a_document_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_toml(data), dict)


@given(st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"])))
def test_text_is_decoded_as_it_was_written(text: str) -> None:
    assert decode(text.encode()) == text
    assert decode(codecs.BOM_UTF8 + text.encode()) == text
