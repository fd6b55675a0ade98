"""No secret leaves: planted in every kind of file that a job leaves, looked for in every file that reports write."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.tests.carriers import ENCODINGS, b64, holds
from lab.tests.masking.test_mask import PLANTS, words
from reports import allure, junit, site
from reports.collect import Sources, collect
from reports.report import ReportInputs, read_report
from reports.summary import format_summary
from reports.tests.results import failed, steps
from reports.tests.results import junit as junit_of

AGAIN = {"pem in base64", "jwt in base64", "basic", "secret in a failure"}
"""Written twice as base64, or as a quotation: found by lab.masking.mask's own tests, not by the search below."""

KINDS = tuple(kind for kind in PLANTS if "cut" not in kind and kind not in AGAIN)

"""What a lab handles: keys, kubeconfigs, bearer and bootstrap tokens, passwords in URLs, Secrets."""


def assertion(text: str) -> str:
    """Return a failure as pytest writes it, that contains this text."""
    quoted = "\n".join(f"E   {line}" for line in f"AssertionError: {text}".splitlines())
    captured = f"----- Captured stdout call -----\n{text}"
    return failed(f"AssertionError: {text}", f"{quoted}\n\nscenarios/test_join.py:1: AssertionError\n{captured}")


def in_junit(root: Path, text: str) -> None:
    (root / "results.xml").write_text(junit_of(assertion(text)))


def in_torn_junit(root: Path, text: str) -> None:
    (root / "results.xml").write_text(junit_of(assertion(text))[:-20])


def in_journal(root: Path, text: str) -> None:
    events = steps(
        ("member1/etcd", 0.0, 1.0, []), error=f"{text}: member1/etcd exited with 1 before it was ready\n{text}", kind="ComponentExited"
    )
    (root / "run" / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def in_run(root: Path, text: str) -> None:
    asked = {"lab": {"provider": text}, "karmada": {"components": {"etcd": {"env": {"NOTE": text}}}}}
    (root / "run" / "run.json").write_text(json.dumps({"schema": 1, "id": "run", "created": 1.0, "asked": asked}))


def in_evidence(name: str) -> Callable[[Path, str], None]:
    def plant(root: Path, text: str) -> None:
        path = root / "artifacts" / "run" / "20260101T000000-test_b" / name
        path.parent.mkdir(parents=True)
        path.write_text(
            json.dumps([{"metadata": {"annotations": {"note": text}}}])
            if name.endswith(".json")
            else f"{text}\nno space left on device {text}\n"
        )

    return plant


def in_allure(root: Path, text: str) -> None:
    details = {"message": text, "trace": text}
    result = {"uuid": "u", "fullName": "scenarios.test_join#test_b", "name": "test_b", "status": "failed", "statusDetails": details}
    (root / "allure").mkdir()
    (root / "allure" / "u-result.json").write_text(json.dumps({**result, "start": 1, "stop": 2}))
    (root / "allure" / "v-attachment.txt").write_text(text)
    (root / "allure" / "w-attachment.html").write_text(f"<pre>{text.replace('&', '&amp;').replace(chr(34), '&quot;')}</pre>")


def in_perf(root: Path, text: str) -> None:
    (root / "perf.json").write_text(
        json.dumps({"schema": 1, "name": "x", "figures": [{"name": text, "unit": "s", "median": 1}], "note": text})
    )


def in_log(root: Path, text: str) -> None:
    (root / "up.log").write_text(f"{text}\n{text}\n  remedy: none\n")


PLACES: dict[str, Callable[[Path, str], None]] = {
    "junit.xml": in_junit,
    "a torn junit.xml": in_torn_junit,
    "journal.jsonl": in_journal,
    "run.json": in_run,
    "a log of the evidence": in_evidence("logs/karmada/etcd.log"),
    "objects of the evidence": in_evidence("clusters/member1/works.json"),
    "allure-results": in_allure,
    "perf": in_perf,
    "what the job printed": in_log,
}


def whole(root: Path) -> None:
    """Write a job's results without secrets, for a plant to replace a part of."""
    in_run(root, "embedded")
    in_journal(root, "it ended")
    in_junit(root, "1 == 2")


def raw(root: Path) -> Path:
    """Return the folder of a cell that was never masked: from another tool or an older version."""
    path = root / "raw"
    path.mkdir()
    cell = {"schema": 1, "name": "raw", "outcome": "fail", "exit_code": 4, "started": 1.0, "ended": 2.0}
    (path / "cell.json").write_text(json.dumps(cell))
    for source, name in (
        ("results.xml", "junit.xml"),
        ("run/journal.jsonl", "journal.jsonl"),
        ("perf.json", "perf/perf.json"),
        ("up.log", "logs/up.log"),
    ):
        if (root / source).exists():
            (path / name).parent.mkdir(exist_ok=True)
            shutil.copy(root / source, path / name)
    for source, name in (("allure", "allure-results"), ("artifacts/run", "evidence")):
        if (root / source).exists():
            shutil.copytree(root / source, path / name)
    return path


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=3, deadline=None)
@given(secret=words, kind=st.sampled_from(KINDS))
def test_no_secret_is_in_any_output(place: str, kind: str, secret: str) -> None:
    root = Path(tempfile.mkdtemp(prefix="reports-secrets-"))
    try:
        (root / "run").mkdir()
        whole(root)
        PLACES[place](root, PLANTS[kind](secret))
        sources = Sources(
            lab=str(root / "run"),
            junit=root / "results.xml",
            artifacts=root / "artifacts",
            allure=root / "allure" if (root / "allure").exists() else None,
            perf=(root / "perf.json",),
            logs=(root / "up.log",),
            parts={"suite": "core"},
            exit_code=4,
        )
        out = root / "out"
        (out / "summaries").mkdir(parents=True)
        collect(sources, out / "cells" / "one")
        for number, path in enumerate([out / "cells", root / "run", raw(root)]):
            report = read_report(ReportInputs([path]))
            site.write_site(report, out / f"site{number}")
            allure.write_results(report, out / f"allure{number}")
            junit.write_file(report, out / f"all{number}.xml")
            (out / "summaries" / f"{number}.md").write_text(format_summary(report))

        written = [path for path in out.rglob("*") if path.is_file()]
        assert len(written) > 15
        leaks = [str(path.relative_to(out)) for path in written if leaked(secret, path)]
        assert leaks == []
    finally:
        shutil.rmtree(root)


def leaked(secret: str, path: Path) -> bool:
    """Tell whether a file, or its name, holds a recognisable part of a secret."""
    text = path.name + path.read_text(errors="replace")
    return any(part in text for part in (secret[:12], secret[:12].lower(), b64(secret)[:16]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_plant_would_be_found_where_nothing_masks(kind: str, tmp_path: Path) -> None:
    secret = "qz7abcdefghijklmnopqrst"
    (tmp_path / "a").write_text(PLANTS[kind](secret))

    assert leaked(secret, tmp_path / "a")


@pytest.mark.parametrize("place", PLACES)
def test_no_known_value_is_in_any_output(place: str, tmp_path: Path) -> None:
    """A value that nothing tells where it stands: the run directory knows it."""
    value = "Zk4jW8qLmP2xT6"
    (tmp_path / "run").mkdir()
    whole(tmp_path)
    (tmp_path / "run" / "secrets.json").write_text(json.dumps({"values": [b64(value)], "names": []}))
    PLACES[place](tmp_path, "; ".join(encode(value) for name, encode in ENCODINGS.items() if "\n" not in encode(value) or name == "YAML"))
    sources = Sources(
        lab=str(tmp_path / "run"),
        junit=tmp_path / "results.xml",
        artifacts=tmp_path / "artifacts",
        allure=tmp_path / "allure" if (tmp_path / "allure").exists() else None,
        perf=(tmp_path / "perf.json",),
        logs=(tmp_path / "up.log",),
        exit_code=4,
        reason=f"it was {value}",
    )

    collect(sources, tmp_path / "out" / "cells" / "one")
    site.write_site(read_report(ReportInputs([tmp_path / "out" / "cells"])), tmp_path / "out" / "site")

    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [str(path) for path in written if holds(path.name + path.read_text(errors="replace"), value, deep=1)] == []
