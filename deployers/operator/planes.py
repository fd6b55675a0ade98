"""Where the operator keeps what it knows of one Karmada: beside the labs, in `.operator/LAB`. The lab itself is an ordinary one.

secrets/    values of Secrets as files, 0600
task.json   the operation that runs now, or ran last
owner.json  the object that the lab belongs to: its namespace, name and UID
outcomes.json  what became of each member: since when it fails, and why
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployers.operator.document import SecretFiles
from deployers.operator.work_queue import backoff
from lab.run import Run, runs_root, write_private

Json = dict[str, Any]
FOLDER = ".operator"
LONGEST = 31
"""Characters of an object's name in the name of its lab, which has 40 at most."""


@dataclass(frozen=True)
class Plane:
    """One Karmada: the object that describes it, and its lab."""

    namespace: str
    name: str
    lab: str

    @classmethod
    def of(cls, cluster: str, namespace: str, name: str) -> Plane:
        """Return the plane of an object. `cluster` is the UID of the cluster that has it: two clusters may have objects of one name."""
        mark = hashlib.sha256(f"{cluster}/{namespace}/{name}".encode()).hexdigest()[:8]
        return cls(namespace, name, f"{name.replace('.', '-')[:LONGEST].rstrip('-')}-{mark}")

    @property
    def folder(self) -> Path:
        return runs_root() / FOLDER / self.lab

    @property
    def files(self) -> SecretFiles:
        """Return the files of its Secrets."""
        return SecretFiles(self.folder / "secrets")

    def find_run(self) -> Run | None:
        """Return its lab's run; None when nothing is installed. NotPossible for a directory that cannot be understood."""
        return Run.load(self.lab) if (runs_root() / self.lab / "run.json").exists() else None

    def read(self, name: str) -> Json:
        """Return a document of the folder; an empty one when it does not exist."""
        try:
            found: Json = json.loads((self.folder / name).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def write(self, name: str, document: Json) -> Path:
        """Replace a document of the folder and return its path."""
        path = self.folder / name
        write_private(path, json.dumps(document, indent=1).encode())
        return path

    def forget(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def note_outcomes(self, outcomes: Json) -> None:
        """Merge what became of members; a member that fails keeps the time since when it does."""
        known = self.read("outcomes.json")
        for member, outcome in outcomes.items():
            if outcome.get("reason"):
                before, now = known.get(member, {}), time.time()
                failures = int(before.get("failures", 0)) + 1
                since = before.get("since") or now
                known[member] = {**outcome, "since": since, "failures": failures, "next": now + backoff(failures)}
            else:
                known.pop(member, None)
        self.write("outcomes.json", known)


def list_planes() -> list[str]:
    """Return the labs that the operator knows."""
    folder = runs_root() / FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
