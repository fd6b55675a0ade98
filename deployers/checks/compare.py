"""What differs between installations. Drift between installers is a finding: it is shown, never judged away.

Compared are the descriptions that runs saved (`deployers.checks.description`), so labs that are gone or ran on another computer can
be compared too. Where one installation has a thing and another does not, that is one row, however much is in the thing; where
both have it, there is a row for each part that differs. Lists without a meaningful order (controllers, feature gates, names in a
certificate) are compared entry by entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deployers.checks import description
from deployers.karmada import description_file
from lab.errors import UsageError
from lab.hints import command
from lab.run import Run, runs_root

Json = dict[str, Any]
SCHEMA = 1
HEADING = ("release", "deployer")
"""Of a description: who made it. It is in the heading of a comparison, not among the differences."""


@dataclass(frozen=True)
class DescribedInstallation:
    """A description that was saved, and what to call it."""

    name: str
    described: Json

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind of thing; of webhooks, the hooks."""
        sections = {key: part for key, part in self.described.items() if key not in (*HEADING, "versions") and isinstance(part, dict)}
        return {key: sum(map(len, part.values())) if key == "webhooks" else len(part) for key, part in sections.items()}


@dataclass(frozen=True)
class Difference:
    """One difference. `values` has one entry per installation; None where it is missing."""

    where: tuple[str, ...]
    values: tuple[Any, ...]

    @property
    def section(self) -> str:
        return self.where[0]


def load_installation(word: str, *, root: Path | None = None) -> DescribedInstallation:
    """Return the description of a lab, a run directory or a saved file; of a removed lab its latest. UsageError when there is none."""
    path = path_of(word, root or runs_root())
    try:
        described = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            f"{word} has no description to compare",
            where=str(path),
            remedy=f"it is written when Karmada is up: {command('up', lab=path.parent.name)}",
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read a description: {error}", where=str(path)) from error
    if not isinstance(described, dict) or "components" not in described:
        raise UsageError("this file is not a description of an installation", where=str(path), remedy="name a lab, or its description.json")
    return DescribedInstallation(path.parent.name if path.name == "description.json" else path.stem, described)


def path_of(word: str, root: Path) -> Path:
    """Return the description that an argument names. UsageError when there never was such a lab."""
    path = Path(word)
    if path.is_file():
        return path
    if "/" in word:
        word, root = path.name, path.parent
    gone = not (root / word).is_dir()
    kept = description.kept_path(word, root)
    return kept if gone and kept.is_file() else description_file(Run.load(word, root=root))


def name_apart(installations: Sequence[DescribedInstallation]) -> list[DescribedInstallation]:
    """Return the installations with names that differ: those of one name get a number."""
    names = [each.name for each in installations]
    return [
        replace(each, name=f"{each.name}#{names[: number + 1].count(each.name)}") if names.count(each.name) > 1 else each
        for number, each in enumerate(installations)
    ]


def compare(installations: Sequence[DescribedInstallation]) -> list[Difference]:
    """Return all differences between installations, in the order of the descriptions."""
    return list(find_differences((), [name_parts(each.described) for each in installations]))


def name_parts(described: Json) -> Json:
    """Return a description as a mapping in which every compared part has a name."""
    found = {key: part for key, part in described.items() if key not in HEADING}
    found["webhooks"] = {
        configuration: {f"{hook['name']} {hook['path']}": hook for hook in hooks}
        for configuration, hooks in described.get("webhooks", {}).items()
    }
    found["components"] = {
        name: {**part, "flags": {f"--{flag}": split_list(flag, value) for flag, value in part.get("flags", {}).items()}}
        for name, part in described["components"].items()
    }
    found["certificates"] = {
        name: {**part, **{key: dict.fromkeys(part[key], True) for key in ("hosts", "organisations") if key in part}}
        for name, part in described.get("certificates", {}).items()
    }
    return found


def split_list(flag: str, value: str) -> str | dict[str, str]:
    """Return a flag's value; of a list without an order its entries, those of feature gates with what each is set to."""
    if "," not in value and flag != "feature-gates":
        return value
    pairs = [each.partition("=") for each in value.split(",") if each]
    return {name: rest if flag == "feature-gates" else "yes" for name, _, rest in pairs}


def find_differences(where: tuple[str, ...], values: Sequence[Any]) -> Iterator[Difference]:
    """Yield the differences among the values of one place, or of the places below it."""
    if all(value == values[0] for value in values):
        return
    if any(isinstance(value, dict) for value in values):  # one entry is a list of one
        values = [{value: "yes"} if isinstance(value, str) and where[-1].startswith("--") else value for value in values]
    if all(isinstance(value, dict) for value in values):
        for key in sorted({key for value in values for key in value}):
            yield from find_differences((*where, key), [value.get(key) for value in values])
    else:
        yield Difference(where, tuple(values))


def read_known(path: Path) -> set[tuple[str, ...]]:
    """Return the places in which an earlier comparison, saved with -o json, found differences. UsageError when it is none."""
    try:
        return {tuple(each["where"]) for each in json.loads(path.read_bytes())["differences"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"reading the comparison failed: {error}", where=str(path), remedy=f"{command('compare', 'RUN', 'RUN', '-o', 'json')} > FILE"
        ) from error


def document(installations: Sequence[DescribedInstallation], found: Sequence[Difference]) -> Json:
    """Return a comparison as data."""
    names = [each.name for each in installations]
    return {
        "schema": SCHEMA,
        "installations": [
            {"name": each.name, **{key: each.described.get(key) for key in HEADING}, "counts": each.counts} for each in installations
        ],
        "differences": [{"where": list(each.where), "values": dict(zip(names, each.values, strict=True))} for each in found],
    }


def rows(installations: Sequence[DescribedInstallation], found: Sequence[Difference]) -> dict[str, list[list[str]]]:
    """Return a comparison as tables: first the installations and their number of parts, then one table per differing section."""
    names = [each.name for each in installations]
    sections = list(dict.fromkeys(key for each in installations for key in each.counts))
    summary = [["", *names], *([key, *(str(each.described.get(key, "")) for each in installations)] for key in reversed(HEADING))]
    summary += [[key, *(str(each.counts.get(key, 0)) for each in installations)] for key in sections]
    tables = {"": summary}
    for section in dict.fromkeys(each.section for each in found):
        of = [each for each in found if each.section == section]
        tables[section] = [[section.upper(), *names], *(row(each) for each in of)]
    return tables


def row(difference: Difference) -> list[str]:
    """Return one difference as table cells. A common beginning is cut, so that the difference is visible."""
    inline = difference.where[-1].startswith("--")
    cells = [short_value(value, inline=inline) for value in difference.values]
    if len(set(cells)) == 1:
        cells = [short_value(value, inline=inline, ends=True) for value in difference.values]
    return [place(difference.where), *cells]


def place(where: Sequence[str]) -> str:
    """Return the place of a difference as a person reads it."""
    return " ".join(part for part in where[1:] if part != "flags")


def short_value(value: Any, *, inline: bool = False, ends: bool = False, width: int = 44) -> str:
    """Return a value in few characters, its beginning or its end; a thing with parts is "there", or its parts `inline`."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        text = ",".join(name if each == "yes" else f"{name}={each}" for name, each in value.items()) if inline else "there"
    else:
        text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > width:
        text = f"…{text[1 - width :]}" if ends else f"{text[: width - 1]}…"
    return text or '""'
