from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from lab.errors import NotPossible
from lab.factories.vm.network import FIRST, LAST, choose_subnet


def test_a_run_has_a_subnet_that_nobody_uses() -> None:
    first = choose_subnet("a", [])
    second = choose_subnet("a", [IPv4Network(first), IPv4Network("0.0.0.0/1")])

    assert choose_subnet("a", []) == first != second
    assert not IPv4Network(first).overlaps(IPv4Network(second))


def test_without_a_free_subnet_the_error_names_the_range() -> None:
    with pytest.raises(NotPossible, match=f"10.{FIRST}"):
        choose_subnet("a", [IPv4Network(f"10.{second}.0.0/16") for second in range(FIRST, LAST + 1)])
