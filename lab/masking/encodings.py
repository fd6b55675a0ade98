"""The encodings of a value: as it is, escaped, quoted, in base64 (twice, too, and inside a longer one), in hex, in numbers."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""Bytes of the shortest form that is searched inside longer text."""


SAFE = re.compile(r"[A-Za-z0-9_.-]*")
"""What no quoting changes."""

KEY = re.compile(r"[A-Za-z0-9+/=\s]*")
"""Base64 in lines, as keys are written."""

ESCAPE = re.compile(r"\\u[0-9a-f]{4}")
PERCENT = re.compile("%[0-9A-F]{2}")

NUMBERS = (("{}", " "), ("{}", ", "), ("{}", ","), ("0x{:x}", ", "), ("0x{:02x}", ", "), ("{:02x}", " "), ("{:02x}", ":"))
"""How Go, Python and dumps print bytes."""


@dataclass(frozen=True)
class Form:
    """One way to write a value. `encoded`: it is no natural text, so a part of it identifies it."""

    data: bytes
    encoded: bool = False
    nested: bool = False
    """Base64 of base64: there are nine of each value, and few are ever written."""

    bounded: bool = False
    """It is found only where no letter or digit is beside it."""


def text_forms(value: str) -> Iterator[Form]:
    """Yield a text as it is and as every quoting writes it."""
    bounded = len(value) < 12
    yield Form(value.encode(), bounded=bounded)
    if SAFE.fullmatch(value):
        return
    if "\n" in value and KEY.fullmatch(value):  # ends of lines are looked for in every escape
        yield Form(quote(value).encode())
        return
    json_once = json.dumps(value)[1:-1]
    escaped = [
        json_once,
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(json_once)[1:-1],
        json.dumps(json.dumps(json_once)[1:-1])[1:-1],
        json_once.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026"),  # as Go writes it
        repr(value)[1:-1],
        repr(repr(value)[1:-1])[1:-1],
        repr(value.encode())[2:-1],
        ascii(value)[1:-1],
        value.replace("'", "''"),  # YAML in single quotes
        value.replace("'", "'\\''"),  # a shell's
        value.replace("'", "'\"'\"'"),
        yaml_escaped(value),
        ESCAPE.sub(lambda found: found.group()[:2] + found.group()[2:].upper(), json_once),
        html.escape(value),
        html.escape(value, quote=False),
        html.escape(value).replace("&#x27;", "&apos;").replace("&quot;", "&#34;"),
        html.escape(json_once),
    ]
    for each in (quote(value, safe=""), quote(value), quote_plus(value)):
        escaped += [each, PERCENT.sub(lambda found: found.group().lower(), each)]
    for each in dict.fromkeys(escaped):
        if each != value:
            yield Form(each.encode(), bounded=bounded)
    if json_once != value and len(json_once) >= SHORTEST:  # a document with the value in it, in base64
        yield from (Form(core, encoded=True) for core in base64_cores(json_once.encode()))


def yaml_escaped(value: str) -> str:
    """Return a text as YAML writes it between double quotes."""

    def escaped(letter: str) -> str:
        code = ord(letter)
        if code < 0x80:
            return json.dumps(letter)[1:-1]
        return rf"\x{code:02X}" if code < 0x100 else rf"\u{code:04X}" if code < 0x10000 else rf"\U{code:08X}"

    return "".join(map(escaped, value))


def binary_forms(value: bytes) -> Iterator[Form]:
    """Yield the base64 of a value, alone and inside that of something longer, once and twice, and its bytes as numbers."""
    alphabets: list[Callable[[bytes], bytes]] = [base64.b64encode, base64.urlsafe_b64encode]
    for alphabet in alphabets:
        alone = alphabet(value)
        inner = [alone, *base64_cores(value, alphabet)]
        for each in inner:
            if len(each) >= 8:
                yield from (Form(core, encoded=True, nested=True) for core in base64_cores(each, base64.b64encode))
        if len(value) >= SHORTEST:
            yield from (Form(core, encoded=True) for core in inner[1:])
            yield Form(alone.rstrip(b"="), encoded=True)
        yield Form(alone, encoded=True, bounded=True)
    if len(value) >= SHORTEST:
        yield Form(value.hex().encode(), encoded=True)
        yield Form(value.hex().upper().encode(), encoded=True)
    if 4 <= len(value) <= 512:
        for way, between in NUMBERS:
            yield Form(between.join(way.format(byte) for byte in value).encode(), encoded=True, nested=True, bounded=True)


def base64_cores(value: bytes, alphabet: Callable[[bytes], bytes] = base64.b64encode) -> list[bytes]:
    """Return what base64 of anything that holds the value must hold: one text for each of the three places where it may begin."""
    found = []
    for before in range(3):
        encoded = alphabet(bytes(before) + value)
        start = (before * 8 + 5) // 6  # characters that depend on what is before
        end = (before + len(value)) * 8 // 6  # those after it depend on what follows
        found.append(encoded[start:end])
    return found
