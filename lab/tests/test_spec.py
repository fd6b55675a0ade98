"""LabSpec: what is wrong, where, and the nearest right thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import UsageError
from lab.spec import LabSpec, MemberSpec, parse, read
from lab.specs import DEFAULT

ONE = {"members": [{"name": "member1"}]}


def wrong(document: Any) -> str:
    with pytest.raises(UsageError) as error:
        parse(LabSpec, document, source="lab.toml")
    assert error.value.exit_code == 2
    return error.value.detail or ""


def test_the_default_lab_is_valid() -> None:
    document = read(DEFAULT)
    document.pop("karmada")

    spec = parse(LabSpec, document, source=str(DEFAULT))

    assert [cluster.name for cluster in spec.clusters] == ["host", "member1", "member2"]
    assert {cluster.kubernetes for cluster in spec.clusters} == {"1.35.4"}


def test_an_unknown_key_is_named_with_the_nearest_one() -> None:
    assert "did you mean 'kubernetes'" in wrong({**ONE, "kubernets": "1.35.4"})
    assert wrong({"members": [{"name": "a", "nodez": []}]}).startswith("members[0].nodez: unknown key")


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "members"),
        ({"members": "two"}, "members"),
        ({"members": [{"name": "Member_1"}]}, "members[0].name"),
        ({"members": [{"name": "m" * 49}]}, "members[0].name"),
        ({"members": [{"name": "m", "mode": "shove"}]}, "members[0].mode"),
        ({"members": [{"name": "m", "kubernetes": "latest"}]}, "members[0].kubernetes"),
        ({"members": [{"name": "m", "nodes": [{"count": -1}]}]}, "members[0].nodes[0].count"),
        ({"members": [{"name": "m", "nodes": 3}]}, "members[0].nodes"),
        ({"members": [{"name": "m", "nodes": [{"count": 2, "name": "one"}]}]}, "members[0].nodes[0]"),
    ],
)
def test_the_wrong_key_is_named(document: Any, where: str) -> None:
    assert any(line.startswith(f"{where}:") for line in wrong(document).splitlines())


def test_all_wrong_keys_are_reported_at_once() -> None:
    assert len(wrong({"members": [{"name": "A"}, {"name": "B", "mode": "x"}], "colour": 1}).splitlines()) == 4


def test_a_cluster_keeps_its_own_version_and_takes_the_labs_otherwise() -> None:
    spec = parse(LabSpec, {"kubernetes": "v1.34.4", "members": [{"name": "a"}, {"name": "b", "kubernetes": "v1.35.4"}]}, source="x")

    assert [cluster.kubernetes for cluster in spec.clusters] == ["1.34.4", "1.34.4", "1.35.4"]


def test_a_spec_survives_the_run_directory() -> None:
    spec = parse(LabSpec, {"members": [{"name": "a", "mode": "pull", "nodes": [{"count": 2, "labels": {"x": "y"}}]}]}, source="x")

    assert LabSpec.model_validate(spec.model_dump(mode="json")) == spec


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True))
def test_every_dns_label_is_a_name(name: str) -> None:
    assert MemberSpec(name=name).name == name


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_no_document_ends_in_anything_but_a_usage_error(document: Any) -> None:
    try:
        parse(LabSpec, document, source="x")
    except UsageError:
        return


def test_broken_toml_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text("a = 1\nb = = 2\n")

    with pytest.raises(UsageError) as error:
        read(tmp_path / "lab.toml")

    assert "line 2" in error.value.what
    assert error.value.where == str(tmp_path / "lab.toml")


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read(tmp_path / "none.toml")


def test_a_lab_of_clusters_that_exist_needs_no_host() -> None:
    bare = LabSpec.model_validate({"provider": "existing", "members": [{"name": "a", "kubeconfig": "/k"}]})
    hosted = LabSpec.model_validate({"provider": "existing", "host": {"kubeconfig": "/h"}, "members": []})

    assert [path for path, _ in bare.paths] == ["members[0]"]
    assert [cluster.name for cluster in bare.clusters] == ["a"]
    assert (bare.has_host, hosted.has_host, LabSpec.model_validate({"members": []}).has_host) == (False, True, True)
