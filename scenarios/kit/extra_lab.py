"""An extra lab for one test that cannot use the shared lab: another release, a control plane at another site."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployers.karmada import Karmada
from deployers.release import make_supply
from deployers.up.bring_up import bring_up
from deployers.wanted import prepare
from lab import evidence
from lab.cluster import Lab
from lab.masking import secret_values
from lab.run import Run, runs_root
from lab.supply_choices import SupplyChoices
from lab.take_down import take_down
from scenarios.kit.session import rescue_evidence


@dataclass
class ExtraLabs:
    """The extra labs that exist in this process, and the directory for evidence of failures."""

    evidence: Path = Path("_artifacts")
    runs: list[Run] = field(default_factory=list)
    known_secrets: secret_values.SecretValues = field(default_factory=secret_values.SecretValues)
    """Secrets of extra labs, kept because a test's report is made after its lab is gone."""

    def secrets(self) -> secret_values.SecretValues:
        """Read the secrets of the labs that exist; return them with those of earlier labs."""
        for run in self.runs:
            self.known_secrets.update(secret_values.ask_clusters(run.path))
        return self.known_secrets

    def collect(self, reason: str) -> list[Path]:
        """Collect evidence of each lab; return the directories."""
        return [evidence.collect(run, reason, into=self.evidence) for run in self.runs]


EXTRA_LABS = ExtraLabs()


@contextmanager
def extra_lab(document: dict[str, Any], *, name: str, offline: bool = False) -> Iterator[Karmada]:
    """Bring a lab up and yield its Karmada with all members Ready; take it down afterwards. Keep evidence of a failure.

    With `offline`, assets come from the cache alone.

    A failure in a with block raises in here. A failure of a test that uses a fixture does not: reporting collects from EXTRA_LABS.
    """
    run_id = f"{name}-{secrets.token_hex(3)}"
    try:
        supply = make_supply(SupplyChoices(offline=True)) if offline else None
        brought = bring_up(prepare(document), run_id, supply=supply, label=f"pytest {name}")
        assert brought.karmada
        with brought.hold:
            EXTRA_LABS.runs.append(brought.lab.run)
            try:
                yield brought.karmada
            except BaseException:
                evidence.collect(brought.lab.run, current_test(), into=EXTRA_LABS.evidence)
                EXTRA_LABS.secrets()
                raise
            finally:
                EXTRA_LABS.runs.remove(brought.lab.run)
    finally:
        remove_lab(run_id)


def remove_lab(run_id: str) -> None:
    """Take a lab down if it exists. Keep the evidence that bringing it up left."""
    if (runs_root() / run_id / "run.json").exists():
        run = Run.load(run_id)
        rescue_evidence(run, EXTRA_LABS.evidence)
        take_down(run)


def current_test() -> str:
    """Return the name of the running test, for the directory of its evidence."""
    node, bracket, parameters = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0].partition("[")
    return node.rpartition("::")[2] + bracket + parameters or "failed"  # of parameters an address may have colons


def as_it_is_now(karmada: Karmada) -> Karmada:
    """Return the control plane as its run directory has it now: a change has given it another spec."""
    return Karmada.open(Lab.open(Run.load(karmada.run.id, root=karmada.run.path.parent)))
