"""Health of an etcd, as its members report it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from deployers.etcd.health import EtcdHealth, EtcdMember

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=300)


def member(name: str, **changes: Any) -> EtcdMember:
    fields: dict[str, Any] = {"name": name, "id": "1", "client": f"https://{name}", "learner": False, "answers": True}
    return EtcdMember(**{**fields, **changes})


def health(*members: EtcdMember, alarms: tuple[str, ...] = (), expires: dt.datetime = LATER) -> EtcdHealth:
    return EtcdHealth(members, 1, alarms, expires)
