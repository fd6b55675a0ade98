from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from deployers.plane.leases import drop_stale, held_lease, path_of
from deployers.tests.control_plane_fakes import Server, a_karmada
from lab.component import Component
from lab.wait import NotYet

PATH = path_of("karmada-system", "karmada-scheduler")


def lease(holder: str = "me", *, age: float = 1) -> dict[str, object]:
    renewed = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age)
    spec = {"holderIdentity": holder, "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "leaseDurationSeconds": 15}
    return {"metadata": {"name": "karmada-scheduler"}, "spec": spec}


def test_a_lease_that_was_just_renewed_is_held() -> None:
    assert held_lease(Server({PATH: lease()}).api(), "karmada-system", "karmada-scheduler")["spec"]["holderIdentity"] == "me"


@pytest.mark.parametrize(
    ("objects", "said"),
    [({}, "no lease"), ({PATH: lease("")}, "no holder"), ({PATH: lease("them", age=3600)}, "held by them")],
)
def test_a_lease_without_a_live_holder_is_not_held(objects: dict[str, dict[str, object]], said: str) -> None:
    with pytest.raises(NotYet, match=said):
        held_lease(Server(objects).api(), "karmada-system", "karmada-scheduler")


def test_leases_of_programs_that_do_not_run_are_dropped_and_others_are_not_touched(tmp_path: Path) -> None:
    server = Server({PATH: lease(age=5), path_of("kube-system", "kube-scheduler"): lease()})
    programs = [
        Component(name=f"karmada/{name}", binary=Path("x"), flags={}, kind=name) for name in ("karmada-scheduler", "karmada-webhook")
    ]

    drop_stale(server.api(), a_karmada(tmp_path).run, programs)

    assert server.writes == [f"DELETE {PATH}"]
