"""What is secret in the bytes of one value, and what in them is ordinary: from a value to the forms that are looked for."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lab.masking.encodings import Form, binary_forms, text_forms
from lab.masking.mask_text import SECRET_NAME

LARGEST = 1 << 20
"""Bytes of a text that is read as a document."""

BLOCK = re.compile(
    r"-----BEGIN (?P<what>(?:[A-Z0-9]+ )*(?:CERTIFICATE|PUBLIC KEY|CERTIFICATE REQUEST|X509 CRL))-----.*?-----END (?P=what)-----", re.S
)
BOUNDARY = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
HOST = (
    r"(?:localhost|(?:[a-z0-9-]+\.)+(?:svc|local|com|org|io|net|dev|test|example|internal|invalid|k8s|localdomain)|\d{1,3}(?:\.\d{1,3}){3})"
)
ORDINARY = re.compile(
    rf"v?\d{{1,7}}(?:\.\d+)+(?:[-+.][a-z0-9.+-]{{1,20}})?"  # a version, an address, a number
    rf"|\d{{1,7}}|(?:\d+(?:\.\d+)?(?:ns|us|ms|[smhdKMG]i?))+|\d{{4}}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?"
    rf"|(?:[a-z][a-z0-9+.-]*://)?(?:{HOST}|\[[0-9a-f:]+\])(?::\d{{1,5}})?(?:/[\w./-]*)?(?::[\w.-]{{1,40}})?"
    rf"|(?:/[a-z.][a-z0-9._-]*){{2,}}|[0-9a-f]{{0,4}}(?::[0-9a-f]{{0,4}}){{2,7}}|system:[a-z0-9:.-]+|(?i:true|false|null|none)",
)
NAMELIKE = re.compile(r"[a-z]+(?:[-._/][a-z0-9]+)*\d{0,4}")
"""Inside a document (a kubeconfig, settings) a value that looks so is a name; as the whole value of a Secret it is not taken for one."""

USERINFO = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@]*:(?P<password>[^\s/@]+)@")
SETTING = re.compile(r"[\s\"']*(?:export )?(?P<key>[\w.-]{1,80})[\"']?\s*[:=]\s*(?P<value>\S.*?)[\s;,]*")


@cache
def ordinary_terms() -> frozenset[str]:
    """Return the common terms, up to eleven letters long, in the output of Kubernetes and Karmada."""
    return frozenset((Path(__file__).parent / "ordinary.txt").read_text().split())


def is_printable(value: bytes) -> bool:
    """Tell whether decoded bytes are text: if not, the original was probably a plain word and no base64."""
    try:
        return value.decode().replace("\n", "").replace("\t", "").replace("\r", "").isprintable()
    except UnicodeDecodeError:
        return False


def forms_of(value: bytes, names: frozenset[str]) -> Iterator[Form]:
    """Yield the forms of a value: of its bytes, and of each text in it that is not ordinary."""
    if len(value) >= 4:
        yield from binary_forms(value)
        if value.strip() != value and len(value.strip()) >= 4:
            yield from binary_forms(value.strip())
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return
    for each in dict.fromkeys(texts_of(text, names)):
        yield from text_forms(each)
        if each != text and len(each) < 4096:
            yield from binary_forms(each.encode())


def texts_of(text: str, names: frozenset[str], *, depth: int = 0) -> Iterator[str]:
    """Yield what is secret in the text of a value: of a document its leaves, of lines each, of one line all of it."""
    text = BLOCK.sub("", text).strip()
    if depth < 4 and (document := parse_document(text)) is not None:
        yield text
        for key, leaf in list_leaves(document):
            if SECRET_NAME.fullmatch(key) or not NAMELIKE.fullmatch(leaf):
                yield from texts_of(leaf, names, depth=depth + 1)
            if key == "auth":  # of a registry
                with contextlib.suppress(ValueError):
                    yield from texts_of(base64.b64decode(leaf).decode().partition(":")[2], names, depth=depth + 1)
        return
    if not is_ordinary(text, names):
        yield BOUNDARY.sub("", text).strip()
    yield from (each for found in USERINFO.finditer(text) if not is_ordinary(each := found.group("password"), names))
    if "\n" in text and "PRIVATE KEY" not in text:
        yield from texts_of_lines(text, names)


def texts_of_lines(text: str, names: frozenset[str]) -> Iterator[str]:
    """Yield the lines of a text, of settings (`key = value`) the values."""
    for line in map(str.strip, text.splitlines()):
        setting = SETTING.fullmatch(line)
        if setting and (SECRET_NAME.fullmatch(setting.group("key")) or not NAMELIKE.fullmatch(setting.group("value"))):
            yield from (each for each in {setting.group("value"), setting.group("value").strip("\"'")} if not is_ordinary(each, names))
        elif not setting and len(line) >= 8 and not is_ordinary(line, names) and not NAMELIKE.fullmatch(line):
            yield line


def is_ordinary(text: str, names: frozenset[str]) -> bool:
    """Tell whether a text must not be masked wherever it stands: lab.masking.known_values has the rule."""
    return len(text) < 6 or text in names or text.lower() in ordinary_terms() or bool(ORDINARY.fullmatch(text))


def parse_document(text: str) -> dict[str, Any] | list[Any] | None:
    """Return the document that a text is: a mapping or list of JSON or YAML; None when it is only a text."""
    if (text[:1] not in "{[" and not ("\n" in text and ":" in text)) or len(text) > LARGEST:
        return None
    found: Any = None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):
            found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe)
    return found if isinstance(found, dict | list) and found else None


def list_leaves(document: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts of a document, each with the key above it."""
    match document:
        case str():
            yield key, document
        case list():
            for item in document:
                yield from list_leaves(item, key)
        case dict():
            for name, item in document.items():
                yield from list_leaves(item, str(name))
