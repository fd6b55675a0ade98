"""Hosts without any network but ssh and each other: clusters on them get all that they need through ssh, from this computer's cache."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from lab.errors import CommandFailed
from lab.machines.record import read_machines
from lab.machines.registry import open_machine, open_owner
from lab.run import Run
from scenarios.kit.extra_lab import extra_lab
from scenarios.kit.machines import make_namespaces, open_run, require_namespaces

pytestmark = [pytest.mark.xdist_group("machines"), pytest.mark.thorough]
PLACES = {"host": "a", "member1": "b"}
OUTSIDE = "192.0.2.1"
"""An address that no network has (RFC 5737)."""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Yield a run with the hosts a and b, which have a route to each other and to this computer and no other."""
    require_namespaces()
    with open_run(tmp_path_factory.mktemp("runs") / f"offline-{secrets.token_hex(2)}") as found:
        make_namespaces(found, list(PLACES.values()))
        for name in PLACES.values():
            open_machine(found, name).run(["ip", "route", "delete", "default"])
        yield found


def test_a_lab_on_hosts_without_a_way_out_comes_from_the_cache_and_leaves_nothing_but_it(hosts: Run) -> None:
    keys = ("address", "port", "user", "key", "known_hosts")
    records = read_machines(hosts)
    document = {
        "machines": {"kind": "ssh", "hosts": [{"name": name, **{key: getattr(records[name], key) for key in keys}} for name in records]},
        "host": {"machine": PLACES["host"]},
        "members": [{"name": "member1", "machine": PLACES["member1"], "nodes": [{"count": 1}]}],
        "karmada": {"deployer": "by_binary"},
    }
    for name in records:
        with pytest.raises(CommandFailed, match="unreachable"):
            open_machine(hosts, name).run(["ip", "route", "get", OUTSIDE])
    with extra_lab(document, name="offline", offline=True) as karmada:
        run = karmada.run.id
        for cluster, name in PLACES.items():
            programs = open_owner(karmada.run, name).programs()
            assert {program.partition("/")[0] for program in programs} == {cluster}
            assert all(state.runs for state in programs.values())

    for name in records:
        host = open_machine(hosts, name)
        assert run not in host.run(["ls", "/var/lib/karmada-lab/runs"]).stdout
        assert run not in host.run(["ps", "-eo", "args"]).stdout
        assert "kube-apiserver" in host.run(["ls", "/var/lib/karmada-lab/cache/assets"]).stdout
