"""Ranges in the names of an Ansible inventory: web[01:12], db-[a:f], rack[1:9:2]-[a:b]."""

from __future__ import annotations

import re
from itertools import product
from string import ascii_letters

RANGE = re.compile(r"\[([0-9]*|[A-Za-z]):([0-9]+|[A-Za-z])(?::([0-9]+))?\]")
MOST = 10_000
"""Names that one pattern may stand for."""


def expand_ranges(pattern: str) -> list[str]:
    """Return the names that a pattern stands for, in order; both ends of a range belong to it. ValueError says what is wrong with one.

    As in Ansible, a first number with leading zeros pads the others, an empty one is 0, and letters run from a to z and on from A to Z.
    """
    texts = RANGE.split(pattern)
    ranges = [list_range(*texts[number : number + 3]) for number in range(1, len(texts), 4)]
    plain = texts[::4]
    if any("[" in text or "]" in text for text in plain):
        raise ValueError(f"{pattern!r} has a bracket that is not a range, as [1:3] or [a:f]")
    count = 1
    for values in ranges:
        count *= len(values)
    if count > MOST:
        raise ValueError(f"{pattern!r} stands for {count:,} hosts, more than {MOST:,}")
    return ["".join(part for pair in zip(plain, (*chosen, ""), strict=True) for part in pair) for chosen in product(*ranges)]


def list_range(first: str, last: str, step: str | None) -> list[str]:
    """Return the values of one range. ValueError when it is empty, or its ends are of two kinds or two widths."""
    written = f"[{first}:{last}{f':{step}' if step else ''}]"
    stride = int(step or 1)
    if not stride:
        raise ValueError(f"the range {written} has a step of 0")
    if first.isalpha() != last.isalpha():
        raise ValueError(f"the range {written} goes from a number to a letter, or back")
    if first.isalpha():
        values = list(ascii_letters[ascii_letters.index(first) : ascii_letters.index(last) + 1 : stride])
    else:
        padded = len(first) > 1 and first.startswith("0")
        if padded and len(first) != len(last):
            raise ValueError(f"the range {written} has ends of two widths")
        low, high = int(first or 0), int(last)
        if (high - low) // stride > MOST:
            raise ValueError(f"the range {written} stands for more than {MOST:,} hosts")
        values = [str(number).zfill(len(first) if padded else 0) for number in range(low, high + 1, stride)]
    if not values:
        raise ValueError(f"the range {written} is empty: its end is before its beginning")
    return values


def split_port(pattern: str) -> tuple[str, str]:
    """Return the pattern and the port of a host as INI has it: web1:2222, web[1:3]:2222, [::1]:2222; the port is "" where none is given.

    ValueError when the text behind the colon is not a number. An IPv6 address without brackets has no port.
    """
    if (inside := re.fullmatch(r"\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\](?::(.*))?", pattern)) and not RANGE.fullmatch(pattern):
        return inside[1], check_port(inside[2] or "", pattern)
    outside = re.sub(r"\[[^\]]*\]", lambda found: "x" * len(found[0]), pattern)
    if outside.count(":") != 1:
        return pattern, ""
    at = outside.index(":")
    return pattern[:at], check_port(pattern[at + 1 :], pattern)


def check_port(port: str, pattern: str) -> str:
    """Return a port. ValueError when it is not a number."""
    if port and not port.isdecimal():
        raise ValueError(f"{pattern!r} has a colon that no port follows")
    return port
