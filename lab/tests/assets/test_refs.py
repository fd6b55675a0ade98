from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.assets.refs import AssetRef, is_path, parse_version, version_key
from lab.errors import UsageError

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
numbers = st.integers(0, 10**6)
pre = st.just("") | st.from_regex(r"-(alpha|beta|rc)\.[1-9]", fullmatch=True)
versions = st.builds(lambda a, b, c, d: f"{a}.{b}.{c}{d}", numbers, numbers, numbers, pre)


@settings(deadline=None)  # a busy computer is no failure
@given(names, versions)
def test_a_ref_is_what_its_text_parses_to(name: str, version: str) -> None:
    ref = AssetRef.parse(f"{name}@v{version}")

    assert ref == AssetRef(name, version)
    assert AssetRef.parse(str(ref)) == ref
    assert ref.checkout is None


@settings(deadline=None)  # a busy computer is no failure
@given(names)
def test_a_name_alone_leaves_the_version_open(name: str) -> None:
    assert AssetRef.parse(name) == AssetRef(name, "")
    assert str(AssetRef(name)) == name


@settings(deadline=None)  # a busy computer is no failure
@given(st.text(max_size=30))
def test_any_text_parses_to_itself_or_is_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        ref = AssetRef.parse(text)

        assert AssetRef.parse(str(ref)) == ref


@settings(deadline=None)  # a busy computer is no failure
@given(versions, versions)
def test_versions_sort_by_their_numbers(one: str, other: str) -> None:
    def key(version: str) -> list[int]:
        return [int(n) for n in version.partition("-")[0].split(".")]

    if key(one) < key(other):
        assert version_key(one) < version_key(other)


def test_a_prerelease_comes_before_its_release() -> None:
    assert version_key("1.18.0-rc.1") < version_key("1.18.0") < version_key("1.18.1-alpha.0")


@pytest.mark.parametrize("path", ["./karmada", "/src/karmada", "../karmada", "a/b", "~/karmada", "."])
def test_a_path_means_a_checkout(path: str) -> None:
    ref = AssetRef.parse(f"karmada-webhook@{path}")

    assert is_path(path)
    assert ref.checkout is not None
    assert ref.checkout.is_absolute()
    assert AssetRef.parse(str(ref)) == ref


def test_a_relative_path_is_of_the_working_directory() -> None:
    assert AssetRef.parse("karmadactl@./k").checkout == Path.cwd() / "k"


@pytest.mark.parametrize("text", ["", "1.2", "1.2.3.4", "latest", "v", "1.02.3", "1.2.3-", "1.2.3 "])
def test_what_is_not_a_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_version(text)
