from __future__ import annotations

from pathlib import Path

import pytest

from deployers.operator.planes import Plane, list_planes
from lab.run import ID


@pytest.fixture
def plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plane:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    return Plane.of("uid", "fleet", "prod")


@pytest.mark.parametrize("name", ["prod", "a" * 40, "a.b.c", f"{'a' * 30}-b"])
def test_an_object_has_a_lab_of_a_legal_name(name: str) -> None:
    assert ID.fullmatch(Plane.of("uid", "fleet", name).lab)


def test_objects_of_one_name_have_labs_of_their_own() -> None:
    assert len({Plane.of(cluster, space, "prod").lab for cluster in ("a", "b") for space in ("x", "y")}) == 4
    assert Plane.of("a", "x", "prod") == Plane.of("a", "x", "prod")


def test_documents_are_private_and_go_with_the_folder(plane: Plane) -> None:
    path = plane.write("task.json", {"a": 1})
    assert path.stat().st_mode & 0o777 == 0o600
    assert (plane.read("task.json"), list_planes()) == ({"a": 1}, [plane.lab])

    plane.forget()
    assert (plane.read("task.json"), list_planes()) == ({}, [])


def test_a_member_that_fails_keeps_the_time_since_when_it_does(plane: Plane) -> None:
    plane.note_outcomes({"a": {"reason": "NotReady", "message": "m"}, "b": {}})
    first = plane.read("outcomes.json")["a"]
    plane.note_outcomes({"a": {"reason": "NotPossible", "message": "m"}})
    second = plane.read("outcomes.json")["a"]

    assert (second["since"], second["failures"], second["reason"]) == (first["since"], 2, "NotPossible")
    assert second["next"] > first["next"]
    plane.note_outcomes({"a": {}})
    assert plane.read("outcomes.json") == {}


def test_without_a_lab_there_is_no_run(plane: Plane) -> None:
    assert plane.find_run() is None
