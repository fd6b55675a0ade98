from __future__ import annotations

from typing import Any

from deployers.operator.observe import PlaneView
from deployers.operator.plan import Observed, Operation
from deployers.operator.planes import Plane
from deployers.operator.report import StatusReport, member_state, write_time

Json = dict[str, Any]
PLANE = Plane("fleet", "prod", "prod-1")
KARMADA = {"karmada": {"release": "1.18.2", "kubernetes": "1.35.4"}}


def make_report(**status: Any) -> StatusReport:
    return StatusReport({"metadata": {"generation": 3}, "status": status}, PLANE)


def wanted(*names: str) -> Json:
    return {"lab": {"members": [{"name": name} for name in names]}}


def conditions(report: StatusReport) -> dict[str, str]:
    return {each["type"]: f"{each['status']} {each['reason']}" for each in report.document()["conditions"]}


def test_a_karmada_that_is_as_wanted_is_ready() -> None:
    import datetime as dt

    report = make_report()
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(days=100)
    view = PlaneView(Observed(KARMADA, complete=True, alive=True), answers=True, members={"a": ""}, expires=expires, endpoint="https://x")
    report.accept()
    report.observe(view, wanted("a"), {}, {})
    report.up_to_date(view.observed)

    assert conditions(report)["Ready"] == "True Ready"
    document = report.document()
    assert (document["members"]["text"], document["observedGeneration"], document["release"]) == ("1/1", 3, "1.18.2")


def test_a_refused_spec_leaves_what_is_known_of_what_runs() -> None:
    before = {"release": "1.17.2", "conditions": [{"type": "Available", "status": "True", "reason": "Serves", "lastTransitionTime": "x"}]}
    report = make_report(**before)
    report.refuse("Invalid", "spec.release: no such release")

    assert conditions(report) == {"Accepted": "False Invalid", "Available": "True Serves", "Ready": "False Invalid"}
    assert report.document()["release"] == "1.17.2"


def test_each_member_has_its_own_state() -> None:
    view = PlaneView(members={"ready": "", "sick": "no answer", "old": ""})
    failed = {"bad": {"reason": "NotPossible", "message": "no route"}}

    assert member_state("ready", view, failed, {})["state"] == "Ready"
    assert member_state("sick", view, failed, {})["state"] == "NotReady"
    assert member_state("bad", view, failed, {}) == {"name": "bad", "state": "Failed", "reason": "NotPossible", "message": "no route"}
    assert member_state("new", view, {}, {"new": "no Secret"})["reason"] == "SecretMissing"
    assert member_state("old", view, {}, {}, leaving=True)["state"] == "Leaving"


def test_a_status_of_a_thousand_members_stays_small() -> None:
    import json

    names = [f"member{number}" for number in range(1000)]
    report = make_report()
    failed = {name: {"reason": "NotPossible", "message": "m" * 300} for name in names[::2]}
    report.observe(PlaneView(members=dict.fromkeys(names[1::2], "")), wanted(*names), failed, {})
    document = report.document()

    assert document["members"] == {"text": "500/1000", "desired": 1000, "joined": 500, "ready": 500}
    assert all(each["state"] == "Failed" for each in document["memberStatuses"])
    assert len(json.dumps(document)) < 64 * 1024


def test_a_failed_operation_is_the_reason() -> None:
    report = make_report()
    report.accept()
    report.fail({"error": "NotReady", "message": "etcd: not within 30 s", "operation": "Install"})
    assert conditions(report)["Ready"] == "False TimedOut"

    report.begin(Operation("Install", "nothing is installed yet"))
    assert conditions(report)["Progressing"] == "True Install"


def test_a_paused_object_names_what_waits() -> None:
    report = make_report()
    report.pause(["a joined the spec"])
    assert conditions(report)["Paused"] == "True Paused"
    assert write_time(0.0) == "1970-01-01T00:00:00Z"
