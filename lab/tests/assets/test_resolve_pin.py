from __future__ import annotations

from pathlib import Path

import pytest

from lab.assets.cache import Cache
from lab.assets.command import CommandResult
from lab.assets.pins import Catalogue
from lab.assets.resolve_pin import find_product, resolve_pin
from lab.assets.sources import AssetRequest
from lab.errors import NotPossible, UsageError
from lab.tests.assets_fakes import MODULE, catalogue


@pytest.fixture
def known(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


def errand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> AssetRequest:
    monkeypatch.setenv("KARMADA_LAB_GO", "/bin/go")
    return AssetRequest(Cache(tmp_path / "cache"), run=lambda *_, **__: CommandResult(0, answer, ""))


@pytest.mark.parametrize("name", ["tools", "alpha", "shapes"])
def test_a_product_is_meant_by_its_name_or_a_thing_of_it(known: Catalogue, name: str) -> None:
    assert find_product(known, name) == "tools"


def test_an_unknown_name_is_refused_with_a_near_one(known: Catalogue) -> None:
    with pytest.raises(UsageError, match="alpha"):
        find_product(known, "alhpa")


def test_the_checksum_is_that_of_the_module(tmp_path: Path, known: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = resolve_pin(known, "tools", "v1.3.0", errand(tmp_path, monkeypatch, '{"Dir": "/mod", "Sum": "h1:new"}'))
    assert entry == {"version": "1.3.0", "published": "beside", "sums": {MODULE: "h1:new"}}


@pytest.mark.parametrize(
    ("answer", "error"),
    [("invalid version: unknown revision v1.3.0", UsageError), ("dial tcp: lookup proxy: no such host", NotPossible)],
)
def test_a_version_that_is_not_there_and_no_network_differ(
    tmp_path: Path, known: Catalogue, monkeypatch: pytest.MonkeyPatch, answer: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        resolve_pin(known, "tools", "1.3.0", errand(tmp_path, monkeypatch, f'{{"Error": "{answer}"}}'))
