from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.supervisor.order import stop_waves

NAMES = st.sampled_from("abcdefgh")


def test_etcd_stops_last_and_programs_without_dependents_first() -> None:
    needs = {"etcd": [], "apiserver": ["etcd"], "scheduler": ["apiserver"], "controller-manager": ["apiserver"], "kwok": ["apiserver"]}

    assert stop_waves(needs) == [["controller-manager", "kwok", "scheduler"], ["apiserver"], ["etcd"]]


def test_a_short_way_does_not_overtake_a_long_one() -> None:
    assert stop_waves({"etcd": [], "apiserver": ["etcd"], "agent": ["apiserver", "etcd"]}) == [["agent"], ["apiserver"], ["etcd"]]


def test_unknown_needs_are_ignored() -> None:
    assert stop_waves({"etcd": ["member1/identity"]}) == [["etcd"]]


def test_programs_that_need_each_other_end_too() -> None:
    assert stop_waves({"a": ["b"], "b": ["a"], "c": ["a"]}) == [["c"], ["a", "b"]]


@given(st.dictionaries(NAMES, st.lists(NAMES)))
def test_everybody_is_stopped_once(needs: dict[str, list[str]]) -> None:
    stopped = [name for wave in stop_waves(needs) for name in wave]

    assert sorted(stopped) == sorted(needs)


@given(st.dictionaries(st.integers(0, 20), st.lists(st.integers(0, 20))))
def test_no_program_stops_before_its_dependents(numbers: dict[int, list[int]]) -> None:
    needs = {str(name): [str(need) for need in wanted if need < name] for name, wanted in numbers.items()}  # no cycles
    wave_of = {name: number for number, wave in enumerate(stop_waves(needs)) for name in wave}

    assert all(wave_of[name] < wave_of[need] for name, wanted in needs.items() for need in wanted if need in needs)
