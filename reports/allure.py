"""`lab report allure`: Allure results of all cells in one folder, for `allure generate`.

The results of allure-pytest are copied, with the cell as outermost suite and as part of the identity: the same test in two cells is two
tests. Tests that only junit.xml contains, such as the specs of upstream's suite, are added from there. Each `up` of the lab is a test with
its steps; failures carry their owner, which categories.json reads, and the logs of their evidence. A cell without results is one unknown
test. History and trends come from history.jsonl, in Allure's format.

Why not the model of allure-python-commons, which allure-pytest brings: it does not read results, and here results are read and changed.
Its model and its writer were tried only on one small result that was made up for it, not on the results of a run:
- It has no reader: `TestResult(**document)` leaves nested parts (labels, details, steps) as dicts, and refuses a key that it does not know.
- AllureFileLogger writes at once and unmasked, under a random name; what is written here is masked and keeps its name between runs.
- It has no model of categories, environment, executor and history. Its import took 0.5 to 0.8 s, on a busy machine.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from lab.masking.mask import mask, mask_object
from lab.steps import StepOutcome
from lab.terminal.text import seconds_text
from reports.cell import PARTS
from reports.classify import Owner
from reports.evaluate import ClassifiedFailure, EvaluatedCell
from reports.files import read_json
from reports.history import HistoryRow
from reports.journal import BringUp
from reports.report import Report
from reports.writer import MaskingWriter

Json = dict[str, Any]
STATUS = {StepOutcome.PASS: "passed", StepOutcome.FAIL: "failed", StepOutcome.SKIP: "skipped", StepOutcome.UNKNOWN: None}
"""Allure shows a result without a status as unknown."""

COUNTED = ("failed", "broken", "skipped", "passed", "unknown")
UUID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
KEPT = 20
"""Earlier results of each test in Allure's history."""

NAMES = {
    Owner.PRODUCT: "Product: Karmada does not work as specified",
    Owner.INFRASTRUCTURE: "Infrastructure: the machine, its network or a registry (the only class that is retried)",
    Owner.HARNESS: "Harness: this project",
    Owner.TEST: "Test: the scenario itself is wrong",
}
LOGS = 12
"""Logs that are attached to each failure; the site contains all of them."""


def write_results(report: Report, folder: Path) -> None:
    """Write the folder, replacing an earlier one."""
    shutil.rmtree(folder, ignore_errors=True)
    out = MaskingWriter(folder, largest=1 << 20, total=512 << 20)
    ids: dict[tuple[str, str], str] = {}
    for each in report.cells:
        taken = list(adopt_results(each, out))
        for made in [
            *taken,
            *list_other_tests(each, {get_case_id(one) for one in taken}, out),
            *list_bring_ups(each, out),
            *list_cell_results(each, out),
        ]:
            out.document(f"{made['uuid']}-result.json", made)
            ids[each.cell.name, get_case_id(made)] = made["historyId"]
    out.document("categories.json", make_categories())
    out.text("environment.properties", "".join(f"{name}={value}\n" for name, value in list_environment(report) if value))
    number = len(report.history.rows) + 1
    out.document("executor.json", {"name": "karmada-lab", "type": "karmada-lab", "buildName": f"run {report.run}", "buildOrder": number})
    out.document("history/history.json", make_history(report.history.rows, ids))
    out.document("history/history-trend.json", make_trend(report.history.rows))


# -- results ---------------------------------------------------------------------------------------------------------------------------


def adopt_results(each: EvaluatedCell, out: MaskingWriter) -> Iterator[Json]:
    """Yield allure-pytest's results of a cell and copy their attachments. Skip torn ones: `list_other_tests` has those."""
    judged = {one.failure.name: one for one in each.failures}
    unknown = {case.id for case in each.tests if case.outcome is StepOutcome.UNKNOWN}
    for path in sorted((each.cell.path / "allure-results").glob("*")):
        if not path.name.endswith("-result.json"):
            out.file(path, path.name)
            continue
        try:
            result = read_result(path)
        except (OSError, ValueError, KeyError):
            continue
        result["historyId"] = make_history_id(each.cell.name, str(result.get("historyId") or result["fullName"]))
        result["testCaseId"] = result["historyId"]
        found = judged.get(get_case_id(result))
        if get_case_id(result) in unknown:  # pytest reports an unknown test as skipped
            result.pop("status", None)
        module = str(result["fullName"]).partition("#")[0]
        result["labels"] = [*make_suite_labels(each, module), *select_labels(result["labels"])]
        result["parameters"].append({"name": "cell", "value": each.cell.name})
        if found:
            add_owner(result, found)
            attach_evidence(result, found, out)
        yield result


def read_result(path: Path) -> Json:
    """Return a result of allure-pytest, masked and checked. Raise OSError, ValueError or KeyError for anything else."""
    result = mask_object(read_json(path))
    if not isinstance(result, dict):
        raise ValueError("not an object")  # noqa: TRY004 (of a document, not of an argument)
    result |= {"uuid": str(result["uuid"]), "fullName": str(result["fullName"]), "name": str(result["name"])}
    if not UUID.fullmatch(result["uuid"]):
        raise ValueError("its uuid is not a file name")
    for key in ("labels", "parameters", "links", "attachments", "steps"):
        found = result.get(key)
        result[key] = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    if not isinstance(result.setdefault("statusDetails", {}), dict):
        result["statusDetails"] = {}
    for key in ("start", "stop"):
        result[key] = int(result[key]) if isinstance(result.get(key), int | float) else 0
    result["stop"] = max(result["start"], result["stop"])
    return result


def list_other_tests(each: EvaluatedCell, copied: Collection[str], out: MaskingWriter) -> Iterator[Json]:
    """Yield the tests that only junit.xml contains, such as upstream's specs. They start with the cell: JUnit has no start times."""
    judged = {one.failure.name: one for one in each.failures}
    began = each.cell.started or 0.0
    for case in each.tests:
        if case.id in copied:
            continue
        result = make_result(each, f"{case.home}#{case.name}", case.name, case.outcome, began, began + (case.seconds or 0.0))
        result["parameters"] = [{"name": "cell", "value": each.cell.name}]
        result["statusDetails"] = {"message": mask(case.message), "trace": mask(case.text)}
        if found := judged.get(case.id):
            add_owner(result, found)
            attach_evidence(result, found, out)
        yield result


def list_bring_ups(each: EvaluatedCell, out: MaskingWriter) -> Iterator[Json]:
    """Yield each `up` of a cell's lab as a result with steps, and its critical path as an attachment."""
    judged = {one.failure.name: one for one in each.failures}
    for number, up in enumerate(each.bring_ups, 1):
        name = "up" if number == 1 else f"up, time {number}"
        result = make_result(each, f"lab#{name}", name, up.outcome, up.began, up.ended)
        result["steps"] = [
            {
                "name": step.name,
                "start": to_milliseconds(step.began),
                "stop": to_milliseconds(step.ended or up.ended),
                **({"status": STATUS[step.outcome]} if STATUS[step.outcome] else {}),
                **({"statusDetails": {"message": step.error}} if step.error else {}),
            }
            for step in sorted(up.steps, key=lambda step: step.began)
        ]
        if failed_step := next((judged[step.name] for step in up.steps if step.name in judged), None):
            add_owner(result, failed_step)
            attach_evidence(result, failed_step, out)
        if up.critical_path:
            attach_text(result, out, "critical path", "txt", format_critical_path(up))
        yield result


def list_cell_results(each: EvaluatedCell, out: MaskingWriter) -> Iterator[Json]:
    """Yield a result for the cell itself when it has benchmark pages or an outcome that none of its tests and steps has."""
    if each.outcome in {case.outcome for case in each.cases} and not each.pages:
        return
    result = make_result(each, f"cell#{each.cell.name}", each.cell.name, each.outcome, each.cell.started or 0.0, each.cell.ended or 0.0)
    result["statusDetails"] = {"message": each.reason}
    for page in each.pages:
        name = str(page.relative_to(each.cell.path / "perf"))
        if out.file(page, source := name_attachment(result, name, ".html")):
            add_attachment(result, name, source, "text/html")
    if own := next((one for one in each.failures if one.failure.what == "cell"), None):
        add_owner(result, own)
    yield result


def make_result(each: EvaluatedCell, full: str, name: str, outcome: StepOutcome, began: float, ended: float) -> Json:
    """Return a new result."""
    status = STATUS[outcome]
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{each.cell.run} {each.cell.attempt} {each.cell.name} {full}")),
        "historyId": make_history_id(each.cell.name, full),
        "testCaseId": make_history_id(each.cell.name, full),
        "fullName": full,
        "name": name,
        "stage": "finished",
        "start": to_milliseconds(began),
        "stop": to_milliseconds(ended),
        "labels": make_suite_labels(each, full.partition("#")[0]),
        **({"status": status} if status else {}),
    }


def add_owner(result: Json, judged: ClassifiedFailure) -> None:
    """Add the owner of a failure, in the form that categories.json matches."""
    owner = judged.classification.owner.value + (", known flake" if judged.flake else "")
    details = result.setdefault("statusDetails", {})
    details["message"] = f"[{owner}] {details.get('message') or mask(judged.failure.cause)}\n\n{judged.classification.because}"
    if judged.flake:
        details |= {"flaky": True, "known": True}
        result.setdefault("links", []).append({"type": "issue", "name": judged.flake.owner, "url": judged.flake.issue})
    result["labels"].append({"name": "tag", "value": judged.classification.owner.value})


def attach_evidence(result: Json, judged: ClassifiedFailure, out: MaskingWriter) -> None:
    """Attach the programs' states and the largest logs of a failure's evidence."""
    for folder in judged.failure.evidence:
        found = (path for path in (folder / "logs").rglob("*.log") if path.is_file())
        logs = sorted(found, key=lambda path: -path.stat().st_size)[:LOGS]
        for path in [folder / "components.json", *sorted(logs)]:
            if path.is_file():
                source = name_attachment(result, str(path), path.suffix)
                if out.file(path, source):
                    kind = "application/json" if path.suffix == ".json" else "text/plain"
                    add_attachment(result, str(path.relative_to(folder)), source, kind)


def attach_text(result: Json, out: MaskingWriter, name: str, suffix: str, text: str) -> None:
    """Attach a text."""
    source = name_attachment(result, name, f".{suffix}")
    out.text(source, text)
    add_attachment(result, name, source, "text/plain")


def name_attachment(result: Json, name: str, suffix: str) -> str:
    """Return the file name of an attachment, stable between runs."""
    return f"{uuid.uuid5(uuid.NAMESPACE_URL, result['uuid'] + name)}-attachment{suffix}"


def add_attachment(result: Json, name: str, source: str, kind: str) -> None:
    result.setdefault("attachments", []).append({"name": name, "source": source, "type": kind})


def format_critical_path(up: BringUp) -> str:
    """Return a critical path as text."""
    rows = [f"{'step':44}{'begins at':>12}{'waited':>12}{'took':>12}"]
    for link in up.critical_path:
        begins = seconds_text(link.step.began - up.began)
        rows.append(f"{link.step.name:44}{begins:>12}{seconds_text(link.waited):>12}{seconds_text(link.step.seconds):>12}")
    return "\n".join(rows) + "\n"


# -- identity --------------------------------------------------------------------------------------------------------------------------


def make_history_id(cell: str, test: str) -> str:
    """Return the id of a test of a cell, stable between runs."""
    return hashlib.sha256(f"{cell} {test}".encode()).hexdigest()[:32]


def get_case_id(result: Json) -> str:
    """Return the id that pytest's junit.xml gives a test: scenarios.test_join::test_a[push]."""
    return f"{str(result['fullName']).partition('#')[0]}::{result['name']}"


def make_suite_labels(each: EvaluatedCell, module: str) -> list[Json]:
    """Return the labels that put a test under its cell."""
    return [{"name": "parentSuite", "value": each.cell.name}, {"name": "suite", "value": module}]


def select_labels(labels: Iterable[Json]) -> list[Json]:
    return [label for label in labels if label.get("name") not in {"parentSuite", "suite", "subSuite"}]


def to_milliseconds(at: float) -> int:
    return int(at * 1000)


# -- other files of Allure ---------------------------------------------------------------------------------------------------------------


def make_categories() -> list[Json]:
    """Return categories.json: one category for each owner of failures, one for known flakes, one for unknown outcomes."""
    wrong = ["failed", "broken"]
    found = [{"name": "Known flakes", "matchedStatuses": wrong, "messageRegex": r"(?s)\[[a-z]+, known flake\].*"}]
    found += [{"name": name, "matchedStatuses": wrong, "messageRegex": rf"(?s)\[{owner.value}\].*"} for owner, name in NAMES.items()]
    return [*found, {"name": "Unknown: not measured, or without results", "matchedStatuses": ["unknown"]}]


def list_environment(report: Report) -> Iterator[tuple[str, str]]:
    """Yield (name, values) of the environment: each value that any cell had."""
    yield "run", report.run
    for part in PARTS:
        yield part, ", ".join(sorted({getattr(each.cell, part) for each in report.cells} - {""}))
    yield "revision", ", ".join(sorted({each.cell.revision for each in report.cells} - {""}))
    for key in sorted({key for each in report.cells for key in each.cell.machine}):
        yield f"machine.{key}", ", ".join(sorted({each.cell.machine.get(key, "") for each in report.cells} - {""}))


def make_history(rows: Iterable[HistoryRow], ids: dict[tuple[str, str], str]) -> Json:
    """Return history.json: the outcomes of each test in earlier runs, the latest first."""
    made: dict[str, Json] = {}
    for row in reversed(list(rows)):
        for (cell, test), known in ids.items():
            past = row.cells.get(cell)
            outcome = past.tests.get(test) if past else None
            if outcome is None:
                continue
            entry = made.setdefault(known, {"statistic": dict.fromkeys([*COUNTED, "total"], 0), "items": []})
            status = STATUS[outcome] or "unknown"
            entry["statistic"][status] += 1
            entry["statistic"]["total"] += 1
            if len(entry["items"]) < KEPT:
                time = {"start": to_milliseconds(row.at), "stop": to_milliseconds(row.at), "duration": 0}
                entry["items"].append({"uid": make_history_id(f"{row.run} {int(row.at)}", known), "status": status, "time": time})
    return made


def make_trend(rows: Iterable[HistoryRow]) -> list[Json]:
    """Return history-trend.json: the number of tests per outcome in earlier runs, the latest first."""
    made = []
    for number, row in enumerate(rows, 1):
        data = dict.fromkeys([*COUNTED, "total"], 0)
        for past in row.cells.values():
            for outcome in past.tests.values():
                data[STATUS[outcome] or "unknown"] += 1
                data["total"] += 1
        made.append({"buildOrder": number, "reportName": f"run {row.run}", "data": data})
    return made[::-1]
