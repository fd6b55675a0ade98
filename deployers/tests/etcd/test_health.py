"""Problems of an etcd are named."""

from __future__ import annotations

import datetime as dt
from typing import Any

from deployers.tests.etcd_fakes import health, member

DOWN: dict[str, Any] = {"answers": False, "why": "refused"}


def test_health_errors_are_listed() -> None:
    well = health(member("etcd", leads=True), member("etcd-2"))
    ill = health(
        member("etcd", lag=5000),
        member("etcd-2", **DOWN),
        member("etcd-3", learner=True),
        alarms=("NOSPACE of etcd",),
        expires=dt.datetime.now(dt.UTC) + dt.timedelta(days=3, hours=1),
    )

    assert well.problems == []
    assert [problem.partition(",")[0] for problem in ill.problems] == [
        "etcd-2 does not answer: refused",
        "etcd is 5000 entries behind",
        "etcd-3 is a learner: it does not vote yet",
        "alarm NOSPACE of etcd",
        "etcd has no leader",
        "its first certificate ends in 3 days",
    ]
