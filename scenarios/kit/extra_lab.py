"""A lab of a test's own, for what would make another lab of the one that all share: another release, a plane at another site."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployers.bring_up import bring_up
from deployers.karmada import Karmada
from deployers.wanted import prepare
from lab import evidence
from lab.cluster import Lab
from lab.masking import secret_values
from lab.run import Run, runs_root
from lab.take_down import take_down
from scenarios.kit.session import rescue_evidence


@dataclass
class Own:
    """The labs that tests of this process have of their own now, and where evidence of failures outlives them."""

    into: Path = Path("_artifacts")
    runs: list[Run] = field(default_factory=list)
    learned: secret_values.SecretValues = field(default_factory=secret_values.SecretValues)
    """What is secret in them: a test's report is made when its lab is gone."""

    def secrets(self) -> secret_values.SecretValues:
        """Ask the labs that there are now for what is secret; return that and what was learned before."""
        for run in self.runs:
            self.learned.update(secret_values.ask_clusters(run.path))
        return self.learned

    def collect(self, reason: str) -> list[Path]:
        """Collect evidence of each; return the directories."""
        return [evidence.collect(run, reason, into=self.into) for run in self.runs]


OWN = Own()


@contextmanager
def own_lab(document: dict[str, Any], *, name: str) -> Iterator[Karmada]:
    """Bring a lab up and yield its Karmada, all members Ready; take it down afterwards. Evidence of a failure is kept.

    A test that has it in its body fails in here. One that has it by a fixture does not: what reports its failure looks at OWN.
    """
    run_id = f"{name}-{secrets.token_hex(3)}"
    try:
        brought = bring_up(prepare(document), run_id, label=f"pytest {name}")
        assert brought.karmada
        with brought.hold:
            OWN.runs.append(brought.lab.run)
            try:
                yield brought.karmada
            except BaseException:
                evidence.collect(brought.lab.run, running(), into=OWN.into)
                OWN.secrets()
                raise
            finally:
                OWN.runs.remove(brought.lab.run)
    finally:
        remove_lab(run_id)


def remove_lab(run_id: str) -> None:
    """Take a lab down if it is there. What bringing it up left as evidence is kept."""
    if (runs_root() / run_id / "run.json").exists():
        run = Run.load(run_id)
        rescue_evidence(run, OWN.into)
        take_down(run)


def running() -> str:
    """Return the name of the test that pytest runs, as evidence is named for it."""
    node, bracket, parameters = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0].partition("[")
    return node.rpartition("::")[2] + bracket + parameters or "failed"  # of parameters an address may have colons


def as_it_is_now(karmada: Karmada) -> Karmada:
    """Return the control plane as its run directory has it now: a change has given it another spec."""
    return Karmada.open(Lab.open(Run.load(karmada.run.id, root=karmada.run.path.parent)))
