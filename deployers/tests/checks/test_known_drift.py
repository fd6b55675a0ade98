"""The drift between upstream's installers that is known is found in what real installations of 1.18.2 were described as.

The descriptions in golden/descriptions were saved by `lab up` of a default lab on each path, and are compared as a person compares runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.checks import compare
from deployers.checks.known_drift import hooks_left_out

GOLDEN = Path(__file__).parents[1] / "golden" / "descriptions"
PATHS = sorted(file.stem for file in GOLDEN.glob("*.json"))
VALIDATING = "validatingwebhookconfigurations/validating-config"


def differences(*paths: str) -> dict[tuple[str, ...], tuple[Any, ...]]:
    installations = [compare.load_installation(str(GOLDEN / f"{path}.json")) for path in paths]
    return {each.where: each.values for each in compare.compare(installations)}


def hooks(path: str) -> int:
    return compare.load_installation(str(GOLDEN / f"{path}.json")).counts["webhooks"]


@pytest.mark.parametrize("path", PATHS)
def test_hooks_that_an_installer_leaves_out_are_found(path: str) -> None:
    missing = {where[2] for where, (_, there) in differences("by_yaml", path).items() if where[0] == "webhooks" and there is None}

    assert {name.replace(" /", " ") for name in missing} == hooks_left_out(path)
    assert hooks(path) == 22 - len(hooks_left_out(path))


def test_the_chart_has_19_hooks_of_22_and_propagates_no_dependencies() -> None:
    found = differences("by_yaml", "by_chart")

    assert {where[2] for where in found if where[0] == "webhooks"} == {
        "clustertaintpolicy.karmada.io /validate-clustertaintpolicy",
        "cronfederatedhpa.karmada.io /validate-cronfederatedhpa",
        "federatedhpa.karmada.io /validate-federatedhpa",
    }
    gate = ("components", "karmada-controller-manager", "flags", "--feature-gates", "PropagateDeps")
    assert found[gate] == (None, "false")


def test_the_operators_controllers_clean_no_tokens() -> None:
    found = differences("by_yaml", "by_operator")

    assert found["components", "kube-controller-manager", "flags", "--controllers", "tokencleaner"] == ("yes", None)


def test_crds_are_the_same_on_every_path() -> None:
    assert not [where for where in differences(*PATHS) if where[0] == "crds"]


def test_one_certificate_for_everything_is_the_charts_way() -> None:
    found = differences("by_yaml", "by_chart")

    assert found["certificates", "karmada"][0] is None
    assert found["certificates", "karmada-webhook"][1] is None
