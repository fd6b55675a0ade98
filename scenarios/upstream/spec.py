"""A spec of upstream's suite and its result, read from the JSON report of ginkgo (its types/types.go, Report and SpecReport)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DESCRIPTION = "E2E Suite"
"""Upstream's name of its suite; ginkgo matches --focus and --skip against it and the spec's texts."""

CUT_OFF = frozenset({"interrupted", "aborted", "", "pending"})
"""States without a verdict: the run ended before the spec did."""


@dataclass(frozen=True, order=True)
class Spec:
    """One `It` of the suite. `text` joins the texts of its containers and its own; `number` distinguishes specs of equal text."""

    file: str
    text: str
    number: int = 1
    line: int = field(default=0, compare=False)
    labels: frozenset[str] = field(default=frozenset(), compare=False)
    serial: bool = field(default=False, compare=False)

    @property
    def name(self) -> str:
        return self.text if self.number == 1 else f"{self.text} #{self.number}"

    @property
    def matched(self) -> str:
        """The text that ginkgo matches --focus and --skip against."""
        return f"{DESCRIPTION} {self.text}"


@dataclass(frozen=True)
class SpecResult:
    """ginkgo's result of one spec. `message` and `where` describe its failure or its own skip; `output` is its output."""

    state: str
    seconds: float = 0.0
    message: str = ""
    where: str = ""
    output: str = ""


@dataclass(frozen=True)
class GinkgoReport:
    """One run of the suite. `around` are failures outside of specs (BeforeSuite…), `special` why ginkgo calls the whole run failed."""

    results: Mapping[Spec, SpecResult]
    around: Sequence[tuple[str, SpecResult]] = ()
    special: Sequence[str] = ()


def read(path: Path) -> GinkgoReport | None:
    """Return ginkgo's JSON report; None when it is missing or incomplete because ginkgo was killed."""
    try:
        document = json.loads(path.read_text())
        return of_document(document[0])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def of_document(document: Json) -> GinkgoReport:
    """Return the report in a ginkgo document. KeyError when the document has another form."""
    results: dict[Spec, SpecResult] = {}
    rows = document["SpecReports"] or []
    for spec, row in zip(number_specs(rows), sort_its(rows), strict=True):
        results[spec] = result_of(row)
    around = [(row["LeafNodeType"], result_of(row)) for row in rows if row["LeafNodeType"] != "It" and row["State"] != "passed"]
    return GinkgoReport(results, around, tuple(document.get("SpecialSuiteFailureReasons") or ()))


def sort_its(rows: Iterable[Json]) -> list[Json]:
    """Return the rows of specs in the order of the sources, which `number_specs` relies on."""
    return sorted((row for row in rows if row["LeafNodeType"] == "It"), key=place_of)


def place_of(row: Json) -> tuple[str, int, str]:
    """Return a spec's position in the sources. A report lists specs in the order of the run, which is random."""
    location = row["LeafNodeLocation"]
    return Path(location["FileName"]).name, int(location["LineNumber"]), text_of(row)


def number_specs(rows: Iterable[Json]) -> list[Spec]:
    """Return specs in the order of the sources; among specs of equal text the second is number 2."""
    seen: Counter[Spec] = Counter()
    found = []
    for row in sort_its(rows):
        file, line, text = place_of(row)
        spec = Spec(file.removesuffix("_test.go"), text, line=line, labels=labels_of(row), serial=bool(row.get("IsSerial")))
        seen[spec] += 1
        found.append(replace(spec, number=seen[spec]))
    return found


def text_of(row: Json) -> str:
    """Return a spec's text as ginkgo joins it, leaving out empty container texts."""
    return " ".join(text for text in [*(row["ContainerHierarchyTexts"] or []), row["LeafNodeText"]] if text)


def labels_of(row: Json) -> frozenset[str]:
    containers = row.get("ContainerHierarchyLabels") or []
    return frozenset(label for labels in [*containers, row.get("LeafNodeLabels")] for label in labels or ())


def result_of(row: Json) -> SpecResult:
    failure = row.get("Failure") or {}
    location = failure.get("Location") or {}
    where = f"{Path(location['FileName']).name}:{location['LineNumber']}" if location.get("FileName") else ""
    message = str(failure.get("Message") or failure.get("ForwardedPanic") or "").strip()
    output = str(row.get("CapturedGinkgoWriterOutput") or "") + str(row.get("CapturedStdOutErr") or "")
    return SpecResult(str(row["State"]), float(row.get("RunTime") or 0) / 1e9, message, where, output)
