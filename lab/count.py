"""Say a number with its noun."""

from __future__ import annotations

SIBILANTS = ("s", "x", "z", "ch", "sh")


def count(number: int, noun: str) -> str:
    """Return a number with its noun in the right form: "1 program", "2 programs", "3 crashes", "0 copies"."""
    if number == 1:
        return f"1 {noun}"
    if noun.endswith(SIBILANTS):
        return f"{number} {noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{number} {noun[:-1]}ies"
    return f"{number} {noun}s"
