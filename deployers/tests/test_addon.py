"""Definitions of addons are complete data, in the order of their needs."""

from __future__ import annotations

import pytest

from deployers import addon as definition
from deployers.addon import addon, order_addons
from deployers.addons import steps
from deployers.release import catalogue
from deployers.tests.addons_fakes import Json
from lab.assets import AssetRef
from lab.errors import UsageError


@pytest.mark.parametrize("name", definition.names())
def test_every_addon_is_whole_and_its_assets_are_pinned(name: str) -> None:
    pins = catalogue()
    for version in pins.versions(addon(name).parts[0].asset):
        kinds = {asset: pins.pin(AssetRef.parse(asset)).kind for asset in addon(name).software(version)}
        assert {kinds.pop(f"{part.asset}@{version}") for part in addon(name).parts} == {"tree"}
        assert set(kinds.values()) <= {"binary"}, "programs, and helm where there is a chart"
        assert steps.images(addon(name), version) is not None
    assert order_addons([name, *addon(name).after])


def test_an_unknown_addon_names_the_near_one() -> None:
    with pytest.raises(UsageError, match="openkruise") as caught:
        addon("openkruse")
    assert "search" in str(caught.value.remedy)


def test_addons_come_after_what_they_need_and_a_cycle_is_refused() -> None:
    assert order_addons(["a", "b", "c"], {"a": ["c"], "b": ["a"], "c": []}) == ["c", "a", "b"]
    with pytest.raises(UsageError, match="a, b"):
        order_addons(["a", "b", "c"], {"a": ["b"], "b": ["a"], "c": []})
    with pytest.raises(UsageError, match="a needs b"):
        order_addons(["a"], {"a": ["b"]})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "`files` and `chart`"),
        ({"files": ["a.yaml"], "chart": "a", "namespace": "a"}, "`files` and `chart`"),
        ({"chart": "a"}, "namespace"),
        ({"files": ["a.yaml"], "values": {"a": 1}}, "values"),
    ],
)
def test_a_part_is_of_files_or_of_a_chart(given: Json, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        definition.AddonPart.model_validate({"name": "a", "asset": "a", "on": ["members"], **given})
