from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lab.assets.pins import Catalogue
from lab.assets.refs import AssetRef
from lab.assets.user_pins import VARIABLE, add_user_pins, append_version, find_user_pins
from lab.errors import UsageError
from lab.tests.assets_fakes import MODULE, catalogue

ENTRY = {"version": "1.3.0", "published": "beside", "sums": {MODULE: "h1:new"}}


@pytest.fixture
def known(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


def test_a_pinned_version_is_read_back(tmp_path: Path, known: Catalogue) -> None:
    file = tmp_path / "karmada-lab-pins.toml"
    append_version(known, file, "tools", ENTRY)

    fresh = add_user_pins(catalogue(tmp_path), file)
    assert fresh.pin(AssetRef("beta", "1.3.0")).module_sum == "h1:new"
    assert fresh.versions("alpha")[0] == "1.2.3"  # the default stays


def test_what_is_in_the_file_stays(tmp_path: Path, known: Catalogue) -> None:
    file = tmp_path / "pins.toml"
    file.write_text("# ours\nschema = 1\n")
    append_version(known, file, "tools", ENTRY)
    append_version(known, file, "tools", {**ENTRY, "version": "1.4.0"})

    assert file.read_text().startswith("# ours")
    assert [each["version"] for each in tomllib.loads(file.read_text())["tools"]["versions"]] == ["1.3.0", "1.4.0"]


@pytest.mark.parametrize(
    "text", ["", "schema = 2", 'schema = 1\n[[tolls.versions]]\nversion = "1.3.0"', 'schema = 1\n[[tools.versions]]\nversion = "1.3.0"']
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, known: Catalogue, text: str) -> None:
    file = tmp_path / "pins.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        add_user_pins(known, file)
    assert str(file) in (caught.value.where or "")


def test_a_version_of_ours_keeps_its_checksum(tmp_path: Path, known: Catalogue) -> None:
    with pytest.raises(UsageError):
        append_version(known, tmp_path / "pins.toml", "tools", {**ENTRY, "version": "1.1.0"})
    assert not (tmp_path / "pins.toml").exists()


def test_an_unknown_product_is_passed_over_where_asked(tmp_path: Path, known: Catalogue) -> None:
    file = tmp_path / "pins.toml"
    file.write_text('schema = 1\n[[karmada.versions]]\nversion = "1.3.0"')
    assert add_user_pins(known, file, strict=False) is known


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_user_pins() == tmp_path / "karmada-lab-pins.toml"
    monkeypatch.setenv(VARIABLE, "other.toml")
    assert find_user_pins() == tmp_path / "other.toml"
