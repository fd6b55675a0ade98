"""What leaves the lab as evidence passes through here: keys, tokens, passwords and the data of Secrets become `***`.

Two ways in: `mask` for text (logs, a journal, audit lines), `mask_object` for objects of an API. Both err towards masking: a log that
says less is a nuisance, a key in a report of a CI job is public. What a name alone gives away (a Secret's keys, a token's id) stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lab.masking import overriders
from lab.masking.mask_text import MASK, SECRET_FLAG, SECRET_NAME, mask_text

if TYPE_CHECKING:  # a process that knows no values does without numpy
    from lab.masking.known_values import KnownValues

JSON_START = re.compile(r"[{\[]\s*[\"{\[]")


@dataclass(frozen=True)
class Context:
    """What is known while a text or an object is masked. `found` collects what is masked because of where it stands."""

    known: KnownValues | None = None
    found: list[str] | None = None
    of_secret: bool | None = None
    """Whether overriders here are for a Secret; None when nothing says so."""

    touched: frozenset[str] | None = None
    """The only texts of an object in which a known value was seen; None before the search."""

    def cover(self, text: str) -> str:
        """Return the text without known values."""
        return self.known.mask(text, MASK) if self.known else text

    def cover_key(self, key: Any) -> Any:
        """Return a key without known values."""
        return self.cover(key) if self.known and isinstance(key, str) and (self.touched is None or key in self.touched) else key

    def note(self, value: Any) -> str:
        """Collect a value, and return what stands in its place."""
        if self.found is not None and isinstance(value, str):
            self.found.append(value)
        return MASK

    def without_known(self) -> Context:
        """Return the same without known values: for what was seen to hold none."""
        return replace(self, known=None, touched=None)

    def within(self, value: Any) -> Context:
        """Return the context for an object: all its texts are looked at in one pass, since each look alone costs as much."""
        if not self.known:
            return self
        texts = list(dict.fromkeys(texts_of(value)))
        touched = frozenset(texts[number] for number in self.known.touched(texts, between="\0"))
        return replace(self, touched=touched) if touched else self.without_known()


def texts_of(value: Any) -> Iterator[str]:
    """Yield all texts of an object, keys too, and its lists as `mask_list` looks at them."""
    match value:
        case str():
            yield value
        case list() | tuple():
            if joined := join_list(value):
                yield joined
            for item in value:
                yield from texts_of(item)
        case Mapping():
            for key, item in value.items():
                yield str(key)
                yield from texts_of(item)


def join_list(value: Sequence[Any]) -> str | None:
    """Return a list as one text, where a value may go on from one item to the next: lines, or bytes as numbers."""
    if len(value) > 1 and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if len(value) > 3 and all(type(item) is int and 0 <= item < 256 for item in value):
        return " ".join(map(str, value))
    return None


ALONE = Context()


def mask(text: str, known: KnownValues | None = None) -> str:
    """Return the text without secrets: those that show by where they stand, and those that are known.

    Lines stay lines, JSON stays JSON; masking twice is the same as once.
    """
    return mask_string(text, Context(known) if known else ALONE)


def mask_object(value: Any, known: KnownValues | None = None) -> Any:
    """Return a copy of an API object (or list, or string) without secrets, whatever is nested in it, JSON in strings too."""
    return mask_value(value, Context(known).within(value))


def secrets_in(value: Any) -> list[str]:
    """Return the texts that `mask_object` masks because of where they stand: a Secret's data (base64), an overrider's value, a token."""
    found: list[str] = []
    mask_value(value, Context(found=found))
    return found


def mask_string(text: str, context: Context) -> str:
    """Return a text without secrets: JSON as JSON, lines of JSON as such, everything else as text."""
    if context.touched is not None and text not in context.touched:
        context = context.without_known()
    if "{" not in text:
        return mask_text(text, context.cover)
    whole = mask_json(text, context)
    if whole is not None:
        return whole
    kept: list[str] = []
    plain: list[str] = []
    lines = text.splitlines(keepends=True)
    touched = context.known.touched(lines) if context.known else set()
    without_known = context.without_known()
    for number, line in enumerate(lines):
        within = context if number in touched or r"\u00" in line else without_known
        masked = mask_json(line, within)
        if masked is None:
            plain.append(mask_json_in_line(line, within) if "{" in line or "[" in line else line)
        else:
            kept += [mask_text("".join(plain), context.cover), masked]
            plain.clear()
    return "".join([*kept, mask_text("".join(plain), context.cover)])


def mask_value(value: Any, context: Context) -> Any:
    """Return a copy of a value of JSON without secrets."""
    match value:
        case str():
            return mask_string(value, context)
        case list() | tuple():
            return mask_list(list(value), context)
        case Mapping():
            return mask_mapping(value, context)
        case _:
            return value


def mask_list(value: list[Any], context: Context) -> list[Any]:
    """Return a list without secrets: arguments after their flags, a value that goes on in the next text, bytes as numbers."""
    flags = [False, *(isinstance(item, str) and bool(SECRET_FLAG.fullmatch(item)) for item in value)]
    masked = [
        context.note(item) if masked and isinstance(item, str) else mask_value(item, context)
        for masked, item in zip(flags, value, strict=False)
    ]
    one = join_list(value) if context.known else None
    if one is None or (context.touched is not None and one not in context.touched):
        return masked
    if isinstance(value[0], int):
        return masked if context.cover(one) == one else [MASK]
    lines = context.cover("\n".join(masked)).split("\n")
    return lines if len(lines) == len(masked) else masked


def mask_mapping(value: Mapping[str, Any], context: Context, *, secret: bool = False) -> dict[str, Any]:
    """Return a mapping without secrets: those of a Secret, of overriders, of telling names, and of `{name: DB_PASSWORD, value: …}`."""
    secret = secret or value.get("kind") == "Secret"
    listed = value.get("kind") == "SecretList"
    target = overriders.targets_secret(value)
    if target is not None:
        context = replace(context, of_secret=target)
    quoted = overriders.is_about_secrets(value)
    masked: dict[str, Any] = {}
    for name, item in value.items():
        key = context.cover_key(name)
        if secret and key in {"data", "stringData"}:
            masked[key] = cover_all(item, context)
        elif listed and key == "items" and isinstance(item, list):
            masked[key] = [mask_mapping({"kind": "Secret", **each}, context) for each in item]
        elif quoted and key in {"requestObject", "responseObject"} and isinstance(item, Mapping):
            masked[key] = mask_mapping(item, context, secret=True)
        elif is_of_secret(value, key, context):
            masked[key] = cover_all(item, context)
        elif key == "value" and isinstance(item, Mapping) and context.of_secret is not False and overriders.replaces_all(value):
            masked[key] = mask_mapping(item, context, secret=True)
        elif SECRET_NAME.fullmatch(str(key)) or (key == "value" and SECRET_NAME.fullmatch(str(value.get("name", "")))):
            masked[key] = mask_all(item, context)
        else:
            masked[key] = mask_value(item, context)
    return masked


def is_of_secret(value: Mapping[str, Any], key: str, context: Context) -> bool:
    """Tell whether what stands under a key is part of what may be a Secret: a value of an overrider or of a patch, or a status."""
    if key == "status":
        return overriders.is_status_of_secret(value) or (context.of_secret is True and "clusterName" in value)
    if context.of_secret is False:
        return False
    return overriders.is_in_data(value.get("fieldPath")) if key in {"json", "yaml"} else key == "value" and overriders.changes_data(value)


def cover_all(value: Any, context: Context, *, below: str = "value") -> Any:
    """Mask all texts and numbers in the data of a Secret; keys stay, and of operations all but their values."""
    match value:
        case None:
            return None
        case list() | tuple():
            return [cover_all(item, context, below=below) for item in value]
        case Mapping() if "subPath" in value:
            return {key: cover_all(item, context) if key == below else item for key, item in value.items()}
        case Mapping():
            return {context.cover_key(key): cover_all(item, context) for key, item in value.items()}
        case str():
            return context.note(value)
        case _:
            return MASK


def mask_all(value: Any, context: Context = ALONE) -> Any:
    """Mask a value because of its name: a string or number whole, those of a list each; what is nested is looked at as usual."""
    match value:
        case None | bool() | "":
            return value
        case list() | tuple():
            return [mask_all(item, context) for item in value]
        case Mapping():
            return mask_mapping(value, context)
        case _:
            return context.note(value)


def mask_json(text: str, context: Context = ALONE) -> str | None:
    """Return a JSON object or list without secrets, white space around it kept; None when it is something else."""
    body = text.strip()
    if body[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict | list):
        return None
    masked = mask_value(found, context.within(found))
    if masked == found:
        return text
    lead, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return text[:lead] + json.dumps(masked, separators=None if ": " in body or ", " in body else (",", ":")) + text[end:]


def mask_json_in_line(line: str, context: Context = ALONE) -> str:
    """Mask the JSON objects and lists that stand somewhere in a line."""
    at, tries = 0, 0
    while (start := JSON_START.search(line, at)) and tries < 16:  # a line of braces that are not JSON must not cost much
        try:
            found, end = json.JSONDecoder().raw_decode(line, start.start())
        except (ValueError, RecursionError):
            at, tries = start.start() + 1, tries + 1
            continue
        masked = mask_value(found, context.within(found))
        text = line[start.start() : end] if masked == found else json.dumps(masked)
        line, at = line[: start.start()] + text + line[end:], start.start() + len(text)
    return line
