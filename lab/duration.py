"""Durations as people write them: 90s, 30m, 6h, 1d, or plain seconds."""

from __future__ import annotations

import re

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST = 100 * 365 * UNITS["d"]
"""A hundred years: more is a mistake, and overflows dates."""


def parse_duration(text: str) -> float:
    """Return the seconds of a duration. ValueError if it is none."""
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)([smhd]?)", text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else LONGEST + 1
    if seconds > LONGEST:
        raise ValueError(f"invalid duration {text!r}: use 90s, 30m, 6h or 1d")
    return seconds


def parse_positive_duration(text: str) -> float:
    """Return the seconds of a duration longer than none. ValueError if it is none."""
    seconds = parse_duration(text)
    if not seconds:
        raise ValueError(f"invalid duration {text!r}: it must be longer than 0")
    return seconds


def duration_text(seconds: float) -> str:
    """Return a duration as it is written, in the largest unit that leaves a whole number: 30d, 6h, 90s."""
    unit = next((unit for unit in "dhms" if not seconds % UNITS[unit]), "s") if seconds else "s"
    return f"{seconds / UNITS[unit]:.12g}{unit}"
