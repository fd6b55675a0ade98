from __future__ import annotations

from deployers.operator.conditions import LONGEST, SUMMARY, Conditions

EARLIER, NOW = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"


def known(kind: str, status: str) -> dict[str, object]:
    return {"type": kind, "status": status, "reason": "Old", "message": "", "lastTransitionTime": EARLIER, "observedGeneration": 1}


def test_the_time_changes_with_the_status_only() -> None:
    conditions = Conditions(2, NOW, [known("Available", "True"), known("UpToDate", "True")])
    conditions.put("Available", "True", "New")
    conditions.put("UpToDate", "False", "New")

    assert [(each["type"], each["lastTransitionTime"], each["observedGeneration"]) for each in conditions.list()] == [
        ("Available", EARLIER, 2),
        ("UpToDate", NOW, 2),
    ]


def test_ready_has_the_reason_of_the_first_that_is_not_as_wanted() -> None:
    conditions = Conditions(1, NOW)
    for kind in SUMMARY:
        conditions.put(kind, "True", "Fine")
    conditions.summarize()
    assert conditions.found["Ready"]["status"] == "True"

    conditions.put("MembersReady", "False", "Unreachable", "member1")
    conditions.put("CertificatesValid", "Unknown", "NotInstalled")
    conditions.summarize()
    assert (conditions.found["Ready"]["status"], conditions.found["Ready"]["reason"]) == ("False", "Unreachable")


def test_what_was_never_observed_is_unknown() -> None:
    conditions = Conditions(1, NOW)
    conditions.summarize()

    assert conditions.found["Ready"]["status"] == "Unknown"


def test_conditions_of_which_nothing_new_is_known_stay() -> None:
    conditions = Conditions(2, NOW, [known("Available", "True"), known("Paused", "True")])
    conditions.keep("Available")

    assert conditions.list() == [known("Available", "True")]


def test_a_message_is_cut() -> None:
    conditions = Conditions(1, NOW)
    conditions.put("Ready", "False", "Long", "x" * 5000)

    assert len(conditions.found["Ready"]["message"]) == LONGEST
