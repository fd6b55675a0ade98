"""A destination by its URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.backup.destinations import open as module
from deployers.backup.destinations.directory import ArchiveFolder
from deployers.backup.destinations.open import open_destination
from deployers.karmada import Karmada
from lab.errors import NotPossible, UsageError


def refuse() -> Karmada:
    raise AssertionError("no lab is needed")


def test_a_path_is_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with open_destination("kept", refuse) as found:
        assert found == ArchiveFolder(tmp_path / "kept")


def test_a_bucket_needs_no_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")

    with open_destination("s3://b/one?endpoint=http://127.0.0.1:1", refuse) as found:
        assert found.locate("x") == "s3://b/one/x"


def test_without_the_extra_a_bucket_is_not_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setattr(module, "find_spec", lambda _: None)

    with pytest.raises(NotPossible, match="minio"), open_destination("s3://b", refuse):
        pass


@pytest.mark.parametrize("url", ["", "ftp://x/y", "S3://b", "pvc://Bad/x", "://x"])
def test_other_urls_are_usage_errors(url: str) -> None:
    with pytest.raises(UsageError), open_destination(url, refuse):
        pass
