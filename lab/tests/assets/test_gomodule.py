from __future__ import annotations

import pytest

from lab.assets.gomodule import Dependency, is_go_at_least, list_unexpected, parse_dependencies, parse_go_mod, parse_go_sum, rewrite_go_mod
from lab.assets.pins import Siblings
from lab.tests.assets_fakes import GO_MOD, GO_SUM

STAGING = Siblings("./staging/src/", "v0.2.3")
ETCD = """module go.etcd.io/etcd/server/v3

go 1.24

toolchain go1.24.7

require github.com/one/alone v1.0.0

require (
\tgithub.com/a/b v1.2.3
\tgo.etcd.io/etcd/api/v3 v3.6.5 // indirect
)

replace (
\tgo.etcd.io/etcd/api/v3 => ../api
\tgithub.com/x/y => github.com/fork/y v1.9.0
)

replace go.etcd.io/etcd => ./FORBIDDEN_DEPENDENCY
"""


def said(*lines: str) -> str:
    return "/x/alpha: go1.26.8\n\tpath\texample.org/tools/cmd/alpha\n" + "".join(f"\t{line}\n" for line in lines)


def test_siblings_become_published_modules() -> None:
    changed = rewrite_go_mod(GO_MOD, STAGING)

    assert "replace example.org/staged => example.org/staged v0.2.3\n" in changed
    assert changed.replace("replace example.org/staged => example.org/staged v0.2.3", "") == GO_MOD.replace(
        "replace example.org/staged => ./staging/src/example.org/staged", ""
    )


def test_siblings_without_a_version_are_dropped_and_the_rest_stays() -> None:
    changed = rewrite_go_mod(ETCD, Siblings("../", ""))

    assert "../api" not in changed
    assert "github.com/x/y => github.com/fork/y v1.9.0" in changed
    assert "replace go.etcd.io/etcd => ./FORBIDDEN_DEPENDENCY" in changed


def test_a_module_without_siblings_is_used_as_it_is() -> None:
    assert rewrite_go_mod(ETCD, None) == ETCD


def test_a_go_mod_is_read() -> None:
    found = parse_go_mod(ETCD)

    assert (found.module, found.go) == ("go.etcd.io/etcd/server/v3", "1.24")
    assert found.requires == {"github.com/one/alone": "v1.0.0", "github.com/a/b": "v1.2.3", "go.etcd.io/etcd/api/v3": "v3.6.5"}
    assert found.replaces == {"github.com/x/y": ("github.com/fork/y", "v1.9.0")}


def test_dependencies_are_those_that_were_linked() -> None:
    text = said("dep\ta\tv1.0.0\th1:a=", "dep\tb\tv0.0.0", "=>\tb\tv0.2.3\th1:b=", "build\t-trimpath=true")

    assert parse_dependencies(text) == [Dependency("a", "v1.0.0", "h1:a="), Dependency("b", "v0.2.3", "h1:b=")]


def test_a_binary_with_upstreams_dependencies_has_no_unknown_modules() -> None:
    text = said("dep\texample.org/lib\tv1.2.3\th1:lib=", "dep\texample.org/staged\tv0.0.0", "=>\texample.org/staged\tv0.2.3\th1:x=")

    assert list_unexpected(text, GO_MOD, GO_SUM, STAGING) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("dep\texample.org/lib\tv1.2.4\th1:lib=", "names v1.2.3"),
        ("dep\texample.org/lib\tv1.2.3\th1:evil=", "checksum"),
        ("dep\texample.org/new\tv1.0.0\th1:new=", "does not name it"),
        ("dep\texample.org/staged\tv0.2.4\th1:s=", "names v0.2.3"),
    ],
)
def test_a_module_outside_of_upstreams_go_mod_is_unknown(line: str, why: str) -> None:
    found = list_unexpected(said(line), GO_MOD, GO_SUM, STAGING)

    assert len(found) == 1
    assert why in found[0]


def test_a_replacement_by_another_module_is_upstreams_word() -> None:
    text = said("dep\tgithub.com/x/y\tv1.0.0", "=>\tgithub.com/fork/y\tv1.9.0\th1:y=", "dep\tgo.etcd.io/etcd/api/v3\tv3.6.5\th1:z=")

    assert list_unexpected(text, ETCD, "", Siblings("../", "")) == []


def test_sums_are_of_modules_not_of_their_go_mod() -> None:
    assert parse_go_sum(GO_SUM) == {("example.org/lib", "v1.2.3"): "h1:lib="}


@pytest.mark.parametrize(
    ("have", "need", "enough"),
    [
        ("go1.26.8", "1.25.10", True),
        ("go1.25.9", "1.25.10", False),
        ("go1.24.1", "1.24", True),
        ("go1.9", "1.24", False),
        ("devel", "1.24", False),
    ],
)
def test_go_versions_compare_by_number(have: str, need: str, enough: bool) -> None:
    assert is_go_at_least(have, need) is enough
