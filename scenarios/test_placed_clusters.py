"""Embedded clusters on machines of the lab, one machine a cluster, joined to Karmada."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployers.karmada import Karmada
from lab.machines.registry import open_machine, open_owner
from scenarios.kit.extra_lab import extra_lab
from scenarios.kit.machines import require_namespaces

pytestmark = pytest.mark.xdist_group("machines")
DOCUMENT = {
    "machines": {"kind": "namespace", "count": 2},
    "host": {"machine": "machine1"},
    "members": [{"name": "member1", "machine": "machine2", "nodes": [{"count": 1}]}],
    "karmada": {"deployer": "by_binary"},
}


@pytest.fixture(scope="module")
def placed_lab() -> Iterator[Karmada]:
    """Yield Karmada with a host cluster and a member that each run on a separate machine."""
    require_namespaces()
    with extra_lab(DOCUMENT, name="placed") as karmada:
        yield karmada


def test_each_cluster_runs_on_its_machine_and_keeps_its_keys_private(placed_lab: Karmada) -> None:
    for cluster, machine in (("host", "machine1"), ("member1", "machine2")):
        programs = open_owner(placed_lab.run, machine).programs()
        assert {name.partition("/")[0] for name in programs} == {cluster}
        assert all(state.runs for state in programs.values())
        root = f"/var/lib/karmada-lab/runs/{placed_lab.run.id}"
        keys = ["find", root, "-type", "f", "-path", "*/pki/*"]
        assert open_machine(placed_lab.run, machine).run([*keys, "-name", "*.key"]).stdout != ""
        assert open_machine(placed_lab.run, machine).run([*keys, "-perm", "/077"]).stdout == ""
