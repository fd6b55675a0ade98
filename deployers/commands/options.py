"""`lab options`: which deployer supports which option of a spec."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from deployers.checks.support_matrix import PROVEN, SupportMatrix, document, picture
from lab.cli.options import Output, OutputOption, option
from lab.run import runs_root
from lab.terminal.text import Look


def options(
    results: Annotated[
        Path | None,
        option("--results", help="Outcomes of this file only.  [default: all that are known]", metavar="FILE"),
    ] = None,
    output: OutputOption = Output.text,
) -> None:
    """Print which deployer supports which option of a spec.

    pass, fail, unknown: the last outcome of conformance with that option in the spec, from the project's table and then from
    _runs/conformance.jsonl. carried: not run yet. —: refused, with the reason below; "in part": for some components.
    """
    outcomes = SupportMatrix.read(*([results] if results else [PROVEN, runs_root() / SupportMatrix.FILE]))
    print(json.dumps(document(outcomes), indent=1) if output is Output.json else "\n".join(picture(outcomes, look=Look.of(sys.stdout))))
