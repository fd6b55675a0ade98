"""The specs in deployers/examples/ say of each deployer everything that it carries: a new option that is missing there fails here."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployers.deployer import DEPLOYERS, get_deployer
from deployers.options import OF_ONE_PATH, OPTIONS, options_of, refusals, row, verdict
from deployers.wanted import document, prepare

EXAMPLES = Path(__file__).parents[1] / "examples"
ELSEWHERE = {
    "etcd.members": "an external etcd has none",
    "etcd.storage": "an external etcd has its own",
    "profile": "e2e gives agents flags that registering a member does not, and by_chart carries the flags of none but the default",
}
BESIDE_A_NAME = {
    "load_balancer": "the name that by_binary stands a balancer of its own for",
    "by_binary.machines": "machines of the lab file, which this example has none of: scenarios/test_karmada_machines.py",
    "by_binary.virtual_address": "an address of several machines",
}


@pytest.mark.parametrize("name", DEPLOYERS)
def test_an_example_has_every_option_that_its_deployer_carries(name: str) -> None:
    wanted = prepare(document(EXAMPLES / f"everything-{name}.toml"))
    assert wanted.karmada is not None
    support = get_deployer(name).options

    assert refusals(wanted.karmada, support) == []
    there = {row(option) for option in options_of(wanted.karmada)}
    carried = {option for option in (*OPTIONS, *OF_ONE_PATH) if not verdict(option, support).startswith("refused")}
    excepted = ELSEWHERE.keys() | (BESIDE_A_NAME.keys() if name == "by_binary" else set())
    assert carried - there <= excepted


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_an_example_is_a_lab_file(path: Path) -> None:
    assert prepare(document(path)).lab.provider in {"kind", "embedded"}
