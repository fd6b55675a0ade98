from __future__ import annotations

from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.waves import order_waves


def test_each_wave_keeps_the_given_order() -> None:
    assert list(order_waves({"b": [], "c": ["a"], "a": [], "d": ["c", "b"]})) == [["b", "a"], ["c"], ["d"]]


def test_a_cycle_is_an_error_after_the_waves_that_do_not_depend_on_it() -> None:
    waves = order_waves({"a": ["b"], "b": ["a"], "c": [], "d": ["c"], "e": ["a"]})

    assert [next(waves), next(waves)] == [["c"], ["d"]]
    with pytest.raises(CycleError) as caught:
        next(waves)
    assert set(caught.value.args[1]) == {"a", "b"}


@given(st.dictionaries(st.integers(0, 20), st.lists(st.integers(0, 20))))
def test_every_need_is_in_an_earlier_wave(numbers: dict[int, list[int]]) -> None:
    needs = {str(name): [str(need) for need in wanted if need < name and need in numbers] for name, wanted in numbers.items()}
    wave_of = {name: number for number, wave in enumerate(order_waves(needs)) for name in wave}

    assert wave_of.keys() == needs.keys()
    assert all(wave_of[need] < wave_of[name] for name, wanted in needs.items() for need in wanted)
