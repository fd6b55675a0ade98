"""The record of a cluster that exists (`existing/<cluster>` of a run): written before anything is put there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from lab.existing.footprint import Footprint
from lab.run import Run

KIND = "existing"


@dataclass(frozen=True)
class ExistingRecord:
    """A cluster that a lab uses: its server, the UID of its kube-system, and what the lab may put there.

    `since` is when the lab claimed it, by the cluster's own clock; 0 before it has. `added`: by `lab join`, not by the lab file.
    """

    name: str
    server: str
    uid: str
    footprint: Footprint
    since: float = 0.0
    added: bool = False

    def write(self, run: Run) -> None:
        """Write the record, in place of the one before."""
        run.record(KIND, self.name, asdict(self))

    @classmethod
    def read(cls, run: Run, name: str) -> ExistingRecord | None:
        """Return the record of a cluster; None when there is none."""
        known = run.recorded(KIND, name)
        return cls(**{**known, "footprint": Footprint.parse(known["footprint"])}) if known else None


def list_existing(run: Run) -> list[ExistingRecord]:
    """Return the records of a run, by name."""
    return [found for name in run.records(KIND) if (found := ExistingRecord.read(run, name))]


def list_claimed(run: Path) -> list[str]:
    """Return the clusters that a run directory's lab still has, by its records; they are not asked."""
    return sorted(path.stem for path in (run / "records" / KIND).glob("*.json"))
