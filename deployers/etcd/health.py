"""The health of an etcd: its members, leader, alarms and certificates, and their problems."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from deployers.etcd.expiry import RENEW_BEFORE

Json = dict[str, Any]
ALARMS = {1: "NOSPACE", 2: "CORRUPT"}
LAG = 1000
"""Entries of the raft log that a member may be behind before it is called slow: etcd calls a member of that kind not ready to vote."""


@dataclass(frozen=True)
class EtcdMember:
    """One member's own status, or `why` it gives none. `lag` counts the entries that it has not yet applied."""

    name: str
    id: str
    client: str
    learner: bool
    answers: bool
    why: str = ""
    leads: bool = False
    version: str = ""
    size: int = 0
    in_use: int = 0
    lag: int = 0


@dataclass(frozen=True)
class EtcdHealth:
    """How an etcd is. `alarms` are like "NOSPACE of etcd-2"; `expires` is when the first of its certificates ends."""

    members: tuple[EtcdMember, ...]
    revision: int
    alarms: tuple[str, ...]
    expires: dt.datetime

    @property
    def voters(self) -> list[EtcdMember]:
        return [member for member in self.members if not member.learner]

    @property
    def leader(self) -> str | None:
        return next((member.name for member in self.members if member.leads), None)

    @property
    def problems(self) -> list[str]:
        """Return the problems, one sentence each; none for a healthy etcd."""
        wrong = [f"{member.name} does not answer: {member.why}" for member in self.members if not member.answers]
        wrong += [f"{member.name} is {member.lag} entries behind" for member in self.members if member.lag > LAG]
        wrong += [f"{member.name} is a learner: it does not vote yet" for member in self.members if member.learner]
        wrong += [f"alarm {alarm}" for alarm in self.alarms]
        if self.leader is None:
            wrong.append("etcd has no leader, so it accepts no writes")
        left = self.expires - dt.datetime.now(dt.UTC)
        if left < RENEW_BEFORE:
            wrong.append(f"its first certificate ends in {max(left.days, 0)} days, on {self.expires:%Y-%m-%d}")
        return wrong

    def document(self) -> Json:
        """Return what `-o json` prints."""
        return {
            "leader": self.leader,
            "revision": self.revision,
            "members": [asdict(member) for member in self.members],
            "alarms": list(self.alarms),
            "expires": self.expires.isoformat(),
            "problems": self.problems,
        }


def quorum(voters: int) -> int:
    """Return how many of so many voters have to agree."""
    return voters // 2 + 1


def member_of(item: Json, name: str, status: Json | str, newest: int) -> EtcdMember:
    """Return one member from etcd's list and its own status."""
    answer = status["Status"] if isinstance(status, dict) else {}
    return EtcdMember(
        name=name,
        id=f"{item['ID']:x}",
        client=next(iter(item.get("clientURLs") or []), ""),
        learner=bool(item.get("isLearner")),
        answers=isinstance(status, dict),
        why=status if isinstance(status, str) else "",
        leads=bool(answer) and answer.get("leader") == item["ID"],
        version=answer.get("version", ""),
        size=answer.get("dbSize", 0),
        in_use=answer.get("dbSizeInUse", 0),
        lag=max(newest - answer.get("raftAppliedIndex", 0), 0) if answer else 0,
    )
