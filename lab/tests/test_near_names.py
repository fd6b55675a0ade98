from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.near_names import Tables, near_keys, near_names
from lab.spec import LabSpec, Nodes, Strict


class Scheduler(Strict):
    replicas: int = 1


class Plane(Strict):
    release: str = ""
    etcd: Nodes = Nodes()
    parts: dict[str, Scheduler] = {}  # noqa: RUF012 (a model's field)


TABLES: Tables = {"": LabSpec, "plane": Plane}


@pytest.mark.parametrize(
    ("loc", "near"),
    [
        (("plnae",), ["plane"]),
        (("PLANE",), ["plane"]),
        (("member",), ["members"]),
        (("members", 0, "nam"), ["name"]),
        (("members", 3, "nodes", 1, "cuont"), ["count"]),
        (("host", "nodes", 0, "label"), ["labels"]),
        (("plane", "relaese"), ["release"]),
        (("plane", "etcdd"), ["etcd"]),
        (("plane", "etcd", "memroy"), ["memory"]),
        (("plane", "parts", "scheduler", "replica"), ["replicas"]),
        (("release",), ["plane.release"]),
        (("members", 0, "release"), ["plane.release"]),
        (("plane", "provider"), ["provider, at the top of the file"]),
        (("nodes",), ["host.nodes", "members[].nodes"]),
        (("replica",), ["plane.parts.NAME.replicas"]),
        (("xyzzy",), []),
        (("",), []),
    ],
)
def test_an_unknown_key_has_a_near_name_at_any_depth(loc: tuple[str | int, ...], near: list[str]) -> None:
    assert near_keys(loc, TABLES) == near


def test_case_and_dashes_make_no_difference() -> None:
    assert near_names("Feature-Gates", ["feature_gates", "flags"]) == ["feature_gates"]
    assert near_names("Karmada-Scheduler", ["karmada-scheduler"]) == ["karmada-scheduler"]


@given(
    st.lists(st.one_of(st.text(), st.integers(0, 9), st.sampled_from(["plane", "members", "host", "nodes", "etcd", "parts"])), min_size=1)
)
def test_any_place_is_answered(loc: list[str | int]) -> None:
    assert len(near_keys(loc, TABLES)) <= 2
