"""Results of conformance by deployer and option, kept beside the runs, since a removed lab has no directory.

One line of JSON a report: `{"deployer": …, "release": …, "provider": …, "options": […], "outcome": …, "failed": […]}`. What this project's
own runs showed is in `proven.jsonl` beside this file; what is run here counts after it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from deployers.deployer import DEPLOYERS, get_deployer
from deployers.options import OF_ONE_PATH, OPTIONS, Support, options_of, verdict
from lab.run import runs_root
from lab.steps import StepOutcome
from lab.terminal.text import Look, format_table

if TYPE_CHECKING:
    from deployers.checks.conformance import ConformanceReport
    from deployers.karmada import Karmada

Json = dict[str, Any]
PROVEN = Path(__file__).with_name("proven.jsonl")
ROWS = (*OPTIONS, *OF_ONE_PATH)
WORST = (StepOutcome.FAIL, StepOutcome.UNKNOWN, StepOutcome.PASS)


def append_report(karmada: Karmada, report: ConformanceReport, *, root: Path | None = None) -> None:
    """Append the results of a report to the saved outcomes."""
    spec = karmada.spec
    line = {
        "at": round(time.time(), 3),
        "lab": karmada.run.id,
        "provider": karmada.lab.spec.provider,
        "deployer": spec.deployer,
        "release": spec.release,
        "options": options_of(spec),
        "outcome": next((each for each in WORST if any(result.outcome is each for result in report.results)), StepOutcome.UNKNOWN).value,
        "failed": [result.name for result in report.failed],
    }
    path = (root or runs_root()) / SupportMatrix.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def picture(outcomes: SupportMatrix, *, look: Look) -> list[str]:
    """Return the table as text: options by deployer, then the reasons of refusals."""
    supports = {name: get_deployer(name).options for name in DEPLOYERS}
    rows = [("OPTION", *DEPLOYERS)]
    rows += [(option, *(outcomes.cell(option, name, support) for name, support in supports.items())) for option in ROWS]
    refused = [
        (name, option, why) for name, support in supports.items() for option in ROWS if (why := verdict(option, support)) != "carried"
    ]
    return [*format_table(rows, look=look), "", *(f"{name}  {option}: {why}" for name, option, why in refused)]


def document(outcomes: SupportMatrix) -> Json:
    """Return the table as JSON."""
    return {
        "schema": 1,
        "deployers": {
            name: {
                option: {"support": verdict(option, get_deployer(name).options), "outcome": outcomes.of(option, name)} for option in ROWS
            }
            for name in DEPLOYERS
        },
    }


@dataclass(frozen=True)
class SupportMatrix:
    """Saved outcomes, oldest first."""

    FILE: ClassVar[str] = "conformance.jsonl"

    lines: Sequence[Json] = ()

    @classmethod
    def read(cls, *paths: Path) -> SupportMatrix:
        """Read outcomes from the files in order; skip missing files and incomplete lines."""
        lines = []
        for text in [line for path in paths if path.exists() for line in path.read_text().splitlines()]:
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
        return cls(lines)

    def of(self, option: str, deployer: str) -> str | None:
        """Return the last outcome of a deployer with an option of this row in its spec, or None."""
        head, _, tail = option.partition("*")
        for line in reversed(self.lines):
            if line["deployer"] != deployer:
                continue
            if any(each == option or (tail and each.startswith(head) and each.endswith(tail)) for each in line["options"]):
                return str(line["outcome"])
        return None

    def cell(self, option: str, deployer: str, support: Support) -> str:
        """Return the table's cell for an option of a deployer."""
        answer = verdict(option, support)
        if answer.startswith("refused"):
            return "—"
        ran = self.of(option, deployer) or "carried"
        return f"{ran} in part" if answer != "carried" else ran
