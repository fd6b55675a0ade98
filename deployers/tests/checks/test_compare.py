"""Two installations are compared by what they are, entry by entry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deployers.checks import compare
from deployers.checks.compare import DescribedInstallation, Difference
from deployers.tests.compare_fakes import Json, described
from lab.errors import UsageError
from lab.run import Run, list_runs


def found(*descriptions: Json) -> dict[tuple[str, ...], tuple[Any, ...]]:
    return {
        each.where: each.values for each in compare.compare([DescribedInstallation(str(n), each) for n, each in enumerate(descriptions)])
    }


def component(replicas: int = 1, **flags: str) -> Json:
    return {"replicas": replicas, "flags": {name.replace("_", "-"): value for name, value in flags.items()}}


def hook(name: str, path: str, **more: Any) -> Json:
    return {"name": name, "path": path, "failurePolicy": "Fail", **more}


def test_equal_installations_of_two_deployers_do_not_differ() -> None:
    assert found(described(), described(deployer="by_chart", release="1.18.2")) == {}


def test_a_missing_hook_is_one_row_and_a_different_one_a_row_for_each_part() -> None:
    one = described(webhooks={"validating": [hook("a", "/a"), hook("b", "/b", timeoutSeconds=3)]})
    other = described(webhooks={"validating": [hook("b", "/b", timeoutSeconds=10)]})

    assert found(one, other) == {
        ("webhooks", "validating", "a /a"): (hook("a", "/a"), None),
        ("webhooks", "validating", "b /b", "timeoutSeconds"): (3, 10),
    }


def test_lists_without_an_order_are_compared_by_entry() -> None:
    one = described(components={"kcm": component(controllers="namespace,tokencleaner,csrsigning")})
    other = described(components={"kcm": component(controllers="csrsigning,namespace")})

    assert found(one, other) == {("components", "kcm", "flags", "--controllers", "tokencleaner"): ("yes", None)}


def test_a_list_of_one_is_compared_with_a_list_of_many() -> None:
    one, other = (described(components={"cm": component(controllers=value)}) for value in ("*", "*,hpaScaleTargetMarker"))

    assert found(one, other) == {("components", "cm", "flags", "--controllers", "hpaScaleTargetMarker"): (None, "yes")}


def test_feature_gates_are_compared_by_gate() -> None:
    one, other = (described(components={"cm": component(feature_gates=value)}) for value in ("PropagateDeps=false", "AllBeta=true,X=true"))

    assert found(one, other) == {
        ("components", "cm", "flags", "--feature-gates", "AllBeta"): (None, "true"),
        ("components", "cm", "flags", "--feature-gates", "PropagateDeps"): ("false", None),
        ("components", "cm", "flags", "--feature-gates", "X"): (None, "true"),
    }


def test_a_component_that_one_does_not_have_is_one_row() -> None:
    whole = component(2, v="4")

    assert list(found(described(components={"karmada-search": whole}), described()).values()) == [
        ({"replicas": 2, "flags": {"--v": "4"}}, None)
    ]


def test_three_installations_are_compared_at_once() -> None:
    assert found(*(described(versions={"karmada": version}) for version in ("1.18.2", "1.18.2", "1.17.1"))) == {
        ("versions", "karmada"): ("1.18.2", "1.18.2", "1.17.1")
    }


def test_what_a_person_reads() -> None:
    one = DescribedInstallation("chart", described(webhooks={"v": [hook("a", "/a")]}, deployer="by_chart"))
    other = DescribedInstallation("yaml", described(webhooks={"v": [hook("a", "/a"), hook("b", "/b")]}, deployer="by_yaml"))

    tables = compare.rows([one, other], compare.compare([one, other]))

    assert tables[""][:3] == [["", "chart", "yaml"], ["deployer", "by_chart", "by_yaml"], ["release", "1.18.2", "1.18.2"]]
    assert ["webhooks", "1", "2"] in tables[""]
    assert tables["webhooks"] == [["WEBHOOKS", "chart", "yaml"], ["v b /b", "-", "there"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), ("", '""'), (3, "3"), ({"a": {}}, "there"), ("x" * 60, "x" * 43 + "…")],
)
def test_values_are_short(value: Any, text: str) -> None:
    assert compare.short_value(value) == text


def test_a_flag_that_is_a_list_is_shown_as_one() -> None:
    assert compare.row(Difference(("components", "x", "flags", "--f"), ({"a": "yes", "b": "true"}, None))) == ["x --f", "a,b=true", "-"]


def test_values_that_begin_alike_are_seen_to_differ() -> None:
    one, other = (f"https://{'x' * 60}:{port}" for port in (1, 2))

    _, *cells = compare.row(Difference(("components", "x", "flags", "--servers"), (one, other)))
    assert [cell[-2:] for cell in cells] == [":1", ":2"]


def test_a_lab_a_directory_and_a_file_can_be_named(tmp_path: Path) -> None:
    run = Run.create("one", {"lab": {}, "karmada": {}}, root=tmp_path)
    (run.path / "description.json").write_text(json.dumps(described()))
    (tmp_path / "nightly.json").write_text(json.dumps(described()))

    names = [compare.load_installation(word, root=tmp_path).name for word in ("one", str(run.path), str(tmp_path / "nightly.json"))]

    assert names == ["one", "one", "nightly"]


def test_installations_with_the_same_name_get_distinct_titles() -> None:
    assert [each.name for each in compare.name_apart([DescribedInstallation(name, {}) for name in ("a", "b", "a")])] == ["a#1", "b", "a#2"]


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    Run.create("bare", {"lab": {}}, root=tmp_path)
    (tmp_path / "other.json").write_text("[]")

    with pytest.raises(UsageError, match="bare has no"):
        compare.load_installation("bare", root=tmp_path)
    with pytest.raises(UsageError, match="not a description"):
        compare.load_installation(str(tmp_path / "other.json"))
    with pytest.raises(UsageError, match="no lab 'gone'"):
        compare.load_installation("gone", root=tmp_path)


def test_what_was_known_is_read_from_a_saved_comparison(tmp_path: Path) -> None:
    difference = Difference(("crds", "x"), (None, {}))
    (tmp_path / "known.json").write_text(json.dumps(compare.document([DescribedInstallation(n, described()) for n in "ab"], [difference])))

    assert compare.read_known(tmp_path / "known.json") == {("crds", "x")}
    (tmp_path / "known.json").write_text("{}")
    with pytest.raises(UsageError, match="reading the comparison"):
        compare.read_known(tmp_path / "known.json")


def test_a_lab_that_was_taken_down_is_compared_as_it_was(tmp_path: Path, plane: Callable[..., Run]) -> None:
    run = plane("chart", deployer="by_chart")
    run.remove()

    found = compare.load_installation("chart", root=tmp_path)

    assert (found.name, found.described["deployer"]) == ("chart", "by_chart")
    assert compare.load_installation(str(tmp_path / "chart")).described == found.described
    assert list_runs(tmp_path) == []


def test_a_lab_that_is_there_is_compared_as_it_is(tmp_path: Path, plane: Callable[..., Run]) -> None:
    plane("lab", deployer="by_chart").remove()
    run = Run.create("lab", {"lab": {}, "karmada": {}}, root=tmp_path)
    with pytest.raises(UsageError, match="has no description"):
        compare.load_installation("lab", root=tmp_path)
    (run.path / "description.json").write_text(json.dumps(described(deployer="by_yaml")))

    assert compare.load_installation("lab", root=tmp_path).described["deployer"] == "by_yaml"


def test_a_lab_that_never_was_is_a_usage_error(tmp_path: Path) -> None:
    for word in ("never", "../never", ".descriptions", "no/such/lab"):
        with pytest.raises(UsageError):
            compare.load_installation(word, root=tmp_path)
