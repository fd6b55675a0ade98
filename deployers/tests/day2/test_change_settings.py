from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deployers.day2 import change_settings as module
from deployers.day2.change_settings import WHAT, change_settings
from deployers.karmada import Karmada
from deployers.spec import KarmadaSpec
from lab.cluster import Lab
from lab.errors import NotPossible
from lab.run import Run
from lab.spec import LabSpec


@pytest.fixture
def karmada(tmp_path: Path) -> Karmada:
    spec = KarmadaSpec.model_validate({"addons": {"search": True}})
    lab = LabSpec.model_validate({"members": []})
    run = Run.create("x", {"lab": lab.model_dump(mode="json"), "karmada": spec.model_dump(mode="json")}, root=tmp_path)
    return Karmada(Lab(run, lab), spec)


def plane_of(karmada: Karmada) -> Any:
    names = [
        "karmada/karmada-scheduler",
        *(f"karmada/webhook-{number}" for number in range(karmada.spec.settings("karmada-webhook").replicas)),
    ]
    return SimpleNamespace(programs=[SimpleNamespace(name=name) for name in names])


def test_programs_that_are_not_wanted_any_more_are_ended_last(karmada: Karmada, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    before = karmada.asking(KarmadaSpec.model_validate({"addons": {"search": True}, "components": {"karmada-webhook": {"replicas": 2}}}))
    monkeypatch.setattr(module, "open_plane", plane_of)

    def list_steps(plane: Any) -> list[Any]:
        done.append("switched")
        return []

    monkeypatch.setattr(module, "switch_steps", list_steps)
    monkeypatch.setattr(module, "remove_addon", lambda before, after, name: done.append(f"without {name}"))
    monkeypatch.setattr("lab.component.remove", lambda name, run: done.append(f"ended {name}"))
    monkeypatch.setattr("deployers.checks.description.save", lambda karmada: done.append("described"))

    changed = change_settings(before, KarmadaSpec())

    assert done == ["without search", "switched", "ended karmada/webhook-1", "described"]
    assert changed.spec == KarmadaSpec()
    assert changed.run.asked["karmada"]["addons"]["search"] is False
    assert changed.run.recorded("karmada", "unfinished") is None


def test_what_cannot_take_effect_changes_nothing(karmada: Karmada, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "open_plane", plane_of)

    with pytest.raises(NotPossible, match="settings"):
        change_settings(karmada, KarmadaSpec.model_validate({"registry": "r.example"}))
    assert karmada.run.recorded("karmada", "unfinished") is None


def test_a_change_that_fails_stays_pending(karmada: Karmada, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(plane: Any) -> Any:
        raise NotPossible("no memory")

    monkeypatch.setattr(module, "open_plane", plane_of)
    monkeypatch.setattr(module, "switch_steps", fail)

    with pytest.raises(NotPossible):
        change_settings(karmada, KarmadaSpec.model_validate({"addons": {"search": True}, "profile": "e2e"}))
    found = karmada.run.recorded("karmada", "unfinished")
    assert found is not None
    assert found["what"] == WHAT
