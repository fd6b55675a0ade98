from __future__ import annotations

import pytest

from lab.errors import ProvisionError, UsageError
from lab.machines.scripted import Scripted
from lab.machines.traffic import cut_off, find_interface, set_netem

ROUTE = ("ip", "-4", "-json", "route", "show", "default")


def test_delay_and_loss_are_set_where_the_default_route_is() -> None:
    machine = Scripted({ROUTE: '[{"dev": "eth7"}]', ("tc",): ""})
    set_netem(machine, delay_ms=100, loss_percent=1.5)

    assert "tc qdisc replace dev eth7 root netem delay 100ms loss 1.5%" in machine.transcript()


@pytest.mark.parametrize(("delay", "loss"), [(-1, 0), (0, 101), (0, -1)])
def test_values_that_make_no_sense_are_refused(delay: float, loss: float) -> None:
    with pytest.raises(UsageError):
        set_netem(Scripted({}), delay_ms=delay, loss_percent=loss)


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["somewhere"], []])
def test_a_cut_that_could_not_be_healed_or_means_nothing_is_refused(addresses: list[str]) -> None:
    with pytest.raises(UsageError):
        cut_off(Scripted({}), addresses, caller="10.0.0.1")


def test_a_machine_without_a_default_route_is_named() -> None:
    with pytest.raises(ProvisionError, match="route"):
        find_interface(Scripted({ROUTE: "[]"}))
