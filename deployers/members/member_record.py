"""The record of one member in the run (`records/members/NAME.json`). `lab status` reads the same fields."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from deployers.members.registry import Mode
from lab.run import Run

KIND = "members"
State = Literal["joining", "registering", "registered", "joined"]


@dataclass(frozen=True)
class MemberRecord:
    """How far joining a member is.

    `objects` are those on the member without which Karmada cannot reach or serve it; `later` are made soon after it is joined.
    """

    mode: Mode
    state: State
    objects: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    @classmethod
    def read(cls, run: Run, name: str) -> MemberRecord | None:
        """Return the record of a member; None when there is none."""
        known = run.recorded(KIND, name)
        if known is None:
            return None
        return cls(known["mode"], known["state"], tuple(known.get("objects", ())), tuple(known.get("later", ())))

    def write(self, run: Run, name: str) -> None:
        """Write the record, in place of the one before."""
        run.record(KIND, name, {key: value for key, value in asdict(self).items() if value})


def delete_record(run: Run, name: str) -> None:
    """Delete the record of a member; deleting one that does not exist is fine."""
    run.forget(KIND, name)
