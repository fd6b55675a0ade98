"""Does the first line of a failure name its cause, and how soon?

    lab bench diagnosis [--quiet-runs N] [--fault NAME …] [--out FILE]

One lab of a host and two members is brought up. For each fault of `perf.seeded_faults` an application is set up as a test does, and fails;
its first line and the seconds until it is there are the row of a table. Then the same is done N times without a fault: no cause may be
found, and none of them may fail. Programs are cached already.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress

from deployers.karmada import Karmada
from deployers.up.bring_up import bring_up
from deployers.wanted import document, prepare
from lab.diagnosis.diagnose import diagnose
from lab.errors import LabError, ProvisionError, UsageError
from lab.take_down import take_down
from perf import bench
from perf.diagnosis_attempt import Diagnosed, attempt, judge, make_policy
from perf.figures import Measurement
from perf.progress import say
from perf.seeded_faults import FAULTS, SeededFault, wait_healthy, wait_serving

LEAST_NAMED = 0.9
"""Share of the faults that the first line has to name: 18 of 20."""
LEAST_SOON = 0.75
"""Share of the faults that it has to name within `SOON` seconds: 15 of 20."""
SOON = 15.0


def choose_faults(names: Sequence[str]) -> list[SeededFault]:
    """Return the named faults, all without names. UsageError for a name that is no fault's."""
    known = {fault.name: fault for fault in FAULTS}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"unknown fault {unknown[0]!r}", remedy=f"one of: {', '.join(known)}")
    return [known[name] for name in names] if names else list(FAULTS)


def measure(faults: Sequence[SeededFault], quiet_runs: int) -> tuple[list[Diagnosed], list[Measurement]]:
    """Return a row for each fault, and the figures of all. The lab is taken down, whatever happens."""
    brought = bring_up(prepare(document(members=2)), f"bench-{secrets.token_hex(3)}", root=bench.ROOT, label="lab bench diagnosis")
    karmada = brought.karmada
    assert karmada is not None
    try:
        wait_serving(karmada.run)
        wait_healthy(karmada.run)
        rows = []
        for number, fault in enumerate(faults, 1):
            row = judge(fault, karmada)
            rows.append(row)
            say(f"{number} of {len(faults)}: {fault.name}: {'named' if row.named else 'NOT NAMED'} after {row.seconds:.1f} s: {row.line}")
        accused = [accuse(karmada, number, quiet_runs) for number in range(1, quiet_runs + 1)]
    finally:
        with suppress(LabError):
            brought.hold.release()
        take_down(karmada.run)
    return rows, summarize(rows, accused)


def accuse(karmada: Karmada, number: int, total: int) -> str:
    """Set an application up on a healthy lab; return what is found wrong with it, "" when nothing is."""
    name = f"quiet-{secrets.token_hex(3)}"
    karmada.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    karmada.api.create(make_policy(karmada, name))
    found = attempt(karmada, name) or next((cause.text for cause in diagnose(karmada.run).causes), "")
    say(f"quiet run {number} of {total}: {found or 'nothing found'}")
    return found


def summarize(rows: Sequence[Diagnosed], accused: Sequence[str]) -> list[Measurement]:
    """Return the figures: shares of faults named, and named soon; how many healthy runs were accused."""
    if not rows:
        raise ProvisionError("no fault was tried")
    named = [row for row in rows if row.named]
    soon = [row for row in named if row.seconds <= SOON]
    return [
        Measurement(
            "first line names the cause", "of all", (len(named) / len(rows),), least=LEAST_NAMED, note=f"{len(named)} of {len(rows)}"
        ),
        Measurement(f"named within {SOON:g} s", "of all", (len(soon) / len(rows),), least=LEAST_SOON, note=f"{len(soon)} of {len(rows)}"),
        Measurement("seconds until it is named", "s", tuple(row.seconds for row in named)),
        Measurement("healthy runs accused", "runs", (float(sum(map(bool, accused))),) if accused else (), most=0.0),
    ]
