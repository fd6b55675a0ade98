"""Lab files that this package ships."""

from __future__ import annotations

from pathlib import Path

DEFAULT = Path(__file__).with_name("default.toml")
"""The lab file of `lab up` without `--spec`. It stands here, apart from `lab.spec`, so that naming it costs no import of pydantic."""
