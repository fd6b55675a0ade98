"""Measurements of a benchmark, printed and saved."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perf.figures import SCHEMA, Measurement, format_table


def save_measurements(figures: Sequence[Measurement], machine: Mapping[str, Any], out: Path) -> None:
    """Print the measurements, and write them to a file with the computer that they were made on."""
    out.parent.mkdir(parents=True, exist_ok=True)
    head = {"schema": SCHEMA, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine}
    out.write_text(json.dumps({**head, "figures": [figure.document() for figure in figures]}, indent=1, ensure_ascii=False))
    print(format_table(figures))
    print(f"\nkept in {out}")
