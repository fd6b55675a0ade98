"""The order in which each installer of pods goes to another release, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.day2.upgrade import CanUpgrade
from deployers.deployer import get_deployer
from deployers.spec import KarmadaSpec
from deployers.tests.control_plane_fakes import a_karmada
from deployers.tests.yaml_fakes import manifests_of_record
from lab.errors import NotPossible
from lab.steps import Step
from lab.tests.assets_fakes import Anything

Json = dict[str, Any]
EARLIER, LATER = "1.17.1", "1.18.2"
OF_KUBERNETES = ["etcd", "karmada-apiserver", "kube-controller-manager"]
OF_KARMADA = ["crds", *(f"karmada-{name}" for name in ("webhook", "aggregated-apiserver", "controller-manager", "scheduler"))]
PULLING = {"members": [{"name": "member1", "mode": "pull"}]}
ESTIMATED = {"addons": {"estimators": True}}


def upgrading(folder: Path, by: str, table: Json, *, back: bool = False) -> list[Step]:
    one, other = (LATER, EARLIER) if back else (EARLIER, LATER)
    karmada = a_karmada(folder, {"deployer": by, "release": one, **table})
    spec = KarmadaSpec.model_validate({**karmada.spec.model_dump(mode="json"), "release": other})
    manifests_of_record(folder)
    software = Anything({f"{tree}@{other}": folder / tree for tree in ("karmada-manifests", "karmada-crds")})
    own = get_deployer(by)
    assert isinstance(own, CanUpgrade)
    return own.upgrade(karmada, spec, software, back=back)


def names(steps: list[Step]) -> list[str]:
    assert [step.needs for step in steps] == [(), *((step.name,) for step in steps[:-1])], "each waits for the one before"
    return [step.name for step in steps]


@pytest.mark.parametrize(
    ("by", "table", "order"),
    [
        ("by_yaml", {}, ["images", *OF_KUBERNETES, *OF_KARMADA, "settled"]),
        (
            "by_yaml",
            PULLING | ESTIMATED,
            ["images", *OF_KUBERNETES, *OF_KARMADA, "karmada-scheduler-estimator", "karmada-agent", "settled"],
        ),
        ("by_chart", {}, ["images", "karmada"]),
        ("by_chart", PULLING | ESTIMATED, ["images", "karmada", "karmada-scheduler-estimator", "karmada-agent"]),
        ("by_operator", ESTIMATED, ["images", "karmada-operator", "karmada", "karmada-scheduler-estimator", "settled"]),
    ],
)
def test_images_come_first_and_agents_last(by: str, table: Json, order: list[str], tmp_path: Path) -> None:
    assert names(upgrading(tmp_path, by, table)) == order


def test_manifests_go_back_in_reverse_and_what_puts_crds_back_does_not(tmp_path: Path) -> None:
    assert names(upgrading(tmp_path / "yaml", "by_yaml", PULLING, back=True)) == [
        "images",
        "karmada-agent",
        *OF_KARMADA[::-1],
        *OF_KUBERNETES[::-1],
        "settled",
    ]
    for by in ("by_chart", "by_operator"):
        with pytest.raises(NotPossible, match=by) as refused:
            upgrading(tmp_path / by, by, {}, back=True)
        assert "the earlier CRDs" in str(refused.value.where)
