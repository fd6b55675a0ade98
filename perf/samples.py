"""Samples: the observations of a trial, saved before they are evaluated. `lab bench judge` evaluates saved ones again.

    FOLDER/samples.json.gz    head (what was run, on what, how it ended), marks, rows, usage, requests, final, calls, writers, busy

A row is (seconds since the trial began, stream, name, state). Names belong to applications that the benchmark created, states are
constants of the observer: neither comes from a Secret. The head holds settings and notes and is masked.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import UsageError
from lab.masking.mask import mask_object
from lab.run import write_private

SCHEMA = 1
FILE = "samples.json.gz"
Json = dict[str, Any]
Row = tuple[float, str, str, str]


@dataclass
class Samples:
    """The observations of one trial.

    `marks` are the moments of the trial itself (seconds since it began). `usage` is, by mark, CPU seconds and resident bytes of each
    program; `requests`, by mark and API server, the writes by verb and resource. `final` is the end state of each application.
    """

    head: Json
    marks: dict[str, float] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    usage: dict[str, dict[str, tuple[float, int]]] = field(default_factory=dict)
    requests: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    final: dict[str, Json] = field(default_factory=dict)
    calls: list[tuple[float, str, float, bool]] = field(default_factory=list)
    """Requests of users during the trial (perf.load)."""
    writers: dict[str, dict[str, int]] = field(default_factory=dict)
    """By API server, the number of writes of each kind by each program from T0 to T8, from the audit log (perf.audit)."""
    busy: dict[str, float] = field(default_factory=dict)
    """By mark, the busy seconds of all cores of the computer so far, by any process."""

    def save(self, folder: Path) -> Path:
        """Write the file atomically and return its path."""
        document = {
            "schema": SCHEMA,
            "head": mask_object(self.head),
            "marks": self.marks,
            "rows": [(round(at, 3), *rest) for at, *rest in self.rows],
            "usage": self.usage,
            "requests": self.requests,
            "final": self.final,
            "calls": self.calls,
            "writers": self.writers,
            "busy": self.busy,
        }
        path = folder / FILE
        write_private(path, gzip.compress(json.dumps(document, separators=(",", ":")).encode(), 6), mode=0o644)
        return path

    @classmethod
    def load(cls, folder: Path) -> Samples:
        """Read a saved trial. Raise UsageError when there is none, or when its schema differs."""
        path = folder / FILE if folder.is_dir() else folder
        try:
            document = json.loads(gzip.decompress(path.read_bytes()))
            schema = document["schema"]
            if schema != SCHEMA:
                raise UsageError(
                    f"samples of schema {schema}; this version reads {SCHEMA}",
                    where=str(path),
                    remedy="judge it with the version that made it",
                )
            return cls(
                document["head"],
                document["marks"],
                [(row[0], row[1], row[2], row[3]) for row in document["rows"]],
                {mark: {name: (each[0], each[1]) for name, each in programs.items()} for mark, programs in document["usage"].items()},
                document["requests"],
                document["final"],
                [(row[0], row[1], row[2], row[3]) for row in document.get("calls", [])],
                document.get("writers", {}),
                document.get("busy", {}),
            )
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise UsageError(f"no saved trial: {error}", where=str(path), remedy="name a folder that perf.failover wrote") from error
