"""`lab diagnose` says what is wrong, and what it could not ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

import pytest

from lab.commands import diagnose as command
from lab.diagnosis.cause import Cause, Diagnosis, Rank
from lab.errors import UsageError
from lab.run import Run
from lab.status import client
from lab.tests.cli_fakes import invoke

STOPPED = Cause(Rank.PROGRAM, "member1/kwok is stopped", "restart it")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("KARMADA_LAB_RUNS", str(tmp_path))
    return Run.create("lab1", {"lab": {}}, root=tmp_path)


@pytest.mark.parametrize(
    ("found", "code"),
    [(Diagnosis(), 0), (Diagnosis((STOPPED,)), 1), (Diagnosis(unanswered=("disks",)), 1)],
    ids=["well", "wrong", "unknown"],
)
def test_only_a_lab_that_answers_in_full_and_has_no_cause_is_well(
    run: Run, monkeypatch: pytest.MonkeyPatch, found: Diagnosis, code: int
) -> None:
    monkeypatch.setattr(command, "find_causes", lambda *_, **__: found)

    result = invoke("diagnose", "--lab", run.id, "--output", "json")

    assert result.code == code
    printed = json.loads(result.out)
    assert [cause["rank"] for cause in printed["causes"]] == ["program"] * len(found.causes)
    assert printed["unanswered"] == list(found.unanswered)


@pytest.mark.parametrize(("answers", "refused"), [([False, False], True), ([False, True], False), ([], False)])
def test_a_namespace_that_no_cluster_has_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, answers: list[bool], refused: bool) -> None:
    waiting = iter(answers)

    class Scripted:
        def __init__(self, *_: object, **__: object) -> None:
            if not answers:
                raise client.Silent("no answer")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def has(self, _: str) -> bool:
            return next(waiting)

    entry = "{name: %s, context: {cluster: c, user: u}}"
    contexts = ", ".join(entry % name for name in ("host", "member1"))
    (run.path / "kubeconfig.yaml").write_text(
        f"contexts: [{contexts}]\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}]\n"
    )
    monkeypatch.setattr(command, "Client", Scripted)

    if refused:
        with pytest.raises(UsageError):
            command.require_namespace(run, "shop", within=1.0)
    else:
        command.require_namespace(run, "shop", within=1.0)
