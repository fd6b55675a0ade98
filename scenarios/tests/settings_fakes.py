"""Texts that options are given."""

from __future__ import annotations

from typing import Any

TEXTS = ["", "1", "0", "3", "-1", "2.5", "x", "true", "False", "yes", "no", "off", "build", "bundle", "AUTO", "auto", "a b", "../dir", "é"]


def outcome(parse: Any, text: str) -> str | None:
    """Return the value that a text has there, as text; None where it is refused."""
    try:
        return str(parse(text))
    except Exception:  # noqa: BLE001 (each parser has its own)
        return None
