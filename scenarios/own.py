"""A lab of a test's own, for what would make another lab of the one that all share: another release, a plane at another site."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deployers.bring_up import bring_up, prepare
from deployers.karmada import Karmada
from deployers.take_down import take_down
from lab import evidence
from lab.cluster import Lab
from lab.run import Run, runs_root


@contextmanager
def own_lab(document: dict[str, Any], *, name: str) -> Iterator[Karmada]:
    """Bring a lab up and yield its Karmada, all members Ready; take it down afterwards. Evidence of a failure is kept in _artifacts."""
    run_id = f"{name}-{secrets.token_hex(3)}"
    try:
        brought = bring_up(prepare(document), run_id, label=f"pytest {name}")
        assert brought.karmada
        with brought.hold:
            try:
                yield brought.karmada
            except BaseException:
                evidence.collect(brought.lab.run, "failed", into=Path("_artifacts") / run_id)
                raise
    finally:
        gone(run_id)


def gone(run_id: str) -> None:
    """Take a lab down if it is there."""
    if (runs_root() / run_id / "run.json").exists():
        take_down(Run.load(run_id))


def as_it_is_now(karmada: Karmada) -> Karmada:
    """Return the control plane as its run directory has it now: a change has given it another spec."""
    return Karmada.open(Lab.open(Run.load(karmada.run.id, root=karmada.run.path.parent)))
