"""Links of a report to what made it: the run of the workflow and the commit. A report that was not made by a workflow has none."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

ADDRESS = re.compile(r"https://[\w.-]+(:\d+)?")
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class WorkflowLinks:
    """Where a workflow's run and commits are; `base` is "" when that is not known."""

    base: str = ""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> WorkflowLinks:
        """Return the links that GitHub's variables give: none elsewhere, or when they have another shape."""
        server, repository = env.get("GITHUB_SERVER_URL", ""), env.get("GITHUB_REPOSITORY", "")
        if not (ADDRESS.fullmatch(server) and REPOSITORY.fullmatch(repository)):
            return cls()
        return cls(f"{server}/{repository}")

    def run(self, run: str) -> str:
        """Return the address of a run; "" for one that is not a workflow's."""
        return f"{self.base}/actions/runs/{run}" if self.base and run.isdigit() else ""

    def commit(self, revision: str) -> str:
        """Return the address of a commit; "" when it is not one."""
        return f"{self.base}/commit/{revision}" if self.base and re.fullmatch(r"[0-9a-f]{7,40}", revision) else ""
