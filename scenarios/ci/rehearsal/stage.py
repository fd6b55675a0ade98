"""Execute a whole workflow on this computer: its jobs in sequence, by their needs, conditions and matrix."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError
from pathlib import Path
from typing import Any

from lab.assets.command import spawn
from lab.errors import UsageError
from lab.terminal.text import say, seconds_text
from lab.waves import order_waves
from scenarios.ci.rehearsal.expressions import Contexts, as_text, evaluate_condition, fill_template
from scenarios.ci.rehearsal.runner import Execute, JobRunner, StepDone, clear_workspace
from scenarios.ci.rehearsal.workflow import ROOT, WorkflowFile
from scenarios.kit.run_command import run_command

Json = dict[str, Any]
FOLDERS = ("_cells", "_plan", "_site", "_under_test")
"""Folders that are empty on a fresh runner; a job uploads them as artifacts."""


@dataclass
class Stage:
    """Executes workflows locally. `only` are the cells of a matrix to execute; empty for all.

    `under_test` is the repository that reusable workflows check out. Artifacts belong to one rehearsal, caches are kept.
    """

    store: Path
    github: Json
    only: Sequence[str] = ()
    execute: Execute = field(default_factory=lambda: run_step)
    root: Path = ROOT
    under_test: Path | None = None
    done: list[StepDone] = field(default_factory=list)

    def run(self, file: WorkflowFile, inputs: Mapping[str, Any] | None = None) -> Json:
        """Execute a workflow as the event starts it; return {"result", "outputs"}."""
        return self.called(file, file.started(self.github["event_name"], inputs or {}))

    def called(self, file: WorkflowFile, inputs: Json, *, prefix: str = "") -> Json:
        """Execute a called workflow with these inputs; return {"result", "outputs"} for its caller."""
        values: Json = {"github": self.github, "inputs": inputs, "needs": {}, "vars": {}, "runner": RUNNER}
        results: dict[str, Json] = {}
        for name, job in in_order(file):
            before = {other: results[other] for other in needs_of(job)}
            where = f"{prefix}{name}"
            results[name] = self.job(file, where, job, {**values, "needs": before}, [each["result"] for each in before.values()])
        ended = [result["result"] for result in results.values()]
        worst = next((each for each in ("cancelled", "failure") if each in ended), "success")
        return {"result": worst, "outputs": {}}

    def job(self, file: WorkflowFile, name: str, job: Json, values: Json, before: Sequence[str]) -> Json:
        """Execute one job, or the workflow that it calls, for each row of its matrix."""
        contexts = Contexts(values, status_functions(before))
        if not evaluate_condition(job.get("if"), contexts):
            self.done.append(StepDone(name, "job", "skipped"))
            return {"result": "skipped", "outputs": {}}
        if "uses" in job:
            args = {
                key: fill_template(value, contexts) if isinstance(value, str) else value for key, value in (job.get("with") or {}).items()
            }
            called = file.calls(job["uses"], ours=self.root)
            return self.called(called, called.resolve_inputs(args), prefix=f"{name} / ")
        if file.root != self.root:  # commands of a foreign repository are not executed
            self.done.append(StepDone(name, "job", "not rehearsed"))
            return {"result": "success", "outputs": {}}
        results = []
        for row in self.rows(name, job, contexts):
            runner = JobRunner(
                self.store, {**values, "matrix": row, "strategy": {}}, self.execute, self.root, self.under_test, done=self.done
            )
            where = f"{name} ({row['cell']})" if "cell" in row else name
            with clear_workspace(self.root, FOLDERS, self.store / "aside"):
                result = runner.run(job["steps"], where)
                outputs = self.outputs(job, runner)
            results.append({"result": result, "outputs": outputs})
        if not results:
            return {"result": "skipped", "outputs": {}}
        return next((each for state in ("cancelled", "failure") for each in results if each["result"] == state), results[-1])

    def rows(self, name: str, job: Json, contexts: Contexts) -> Iterator[Json]:
        """Yield the rows of a job's matrix, or one empty row; record those that are not executed."""
        value = (job.get("strategy") or {}).get("matrix")
        if value is None:
            yield {}
            return
        matrix = fill_template(value, contexts) if isinstance(value, str) else value
        rows = matrix.get("include") or []
        known = [str(row.get("cell")) for row in rows]
        if strangers := [cell for cell in self.only if cell not in known]:
            raise UsageError(f"the plan has no cell {strangers[0]!r}", remedy=f"it has: {', '.join(known)}")
        for row in rows:
            if self.only and row.get("cell") not in self.only:
                self.done.append(StepDone(f"{name} ({row.get('cell')})", "job", "not rehearsed"))
            else:
                yield row

    @staticmethod
    def outputs(job: Json, runner: JobRunner) -> Json:
        """Return the outputs of a job from those of its steps."""
        contexts = Contexts({**runner.values, "steps": runner.remembered}, status_functions([]))
        return {name: as_text(fill_template(text, contexts)) for name, text in (job.get("outputs") or {}).items()}


RUNNER = {"os": "Linux", "arch": "X64", "name": "rehearsal"}


def status_functions(before: Sequence[str]) -> Json:
    """Return the status functions of a job, given the results of the jobs that it needs."""
    return {
        "always": lambda: True,
        "success": lambda: all(each == "success" for each in before),
        "failure": lambda: "failure" in before,
        "cancelled": lambda: "cancelled" in before,
    }


def in_order(file: WorkflowFile) -> Iterator[tuple[str, Json]]:
    """Yield jobs so that each comes after those that it needs. UsageError for a cycle or an unknown job."""
    needs = {name: needs_of(job) for name, job in file.jobs.items()}
    if missing := sorted({need for wanted in needs.values() for need in wanted} - needs.keys()):
        raise UsageError(f"a job needs {', '.join(missing)}, which this workflow does not have", where=file.path)
    try:
        waves = list(order_waves(needs))
    except CycleError as error:
        raise UsageError(f"these jobs need each other: {', '.join(sorted(set(error.args[1])))}", where=file.path) from error
    for wave in waves:
        yield from ((name, file.jobs[name]) for name in wave)


def needs_of(job: Json) -> list[str]:
    """Return the jobs that one needs."""
    needs: str | list[str] = job.get("needs") or []
    return [needs] if isinstance(needs, str) else needs


def run_step(argv: list[str], env: Mapping[str, str], log: Path) -> int:
    """Run a step's command in the repository."""
    return run_command(argv, log, env)


def event_of(name: str, base: str, root: Path = ROOT) -> Json:
    """Return the `github` context of a pull request against `base` in a repository, or of another event."""
    head = run_git("rev-parse", "HEAD", root=root)
    base = run_git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}", root=root) or base
    return {
        "event_name": name,
        "repository": "here/karmada-lab" if root == ROOT else f"there/{root.name}",
        "sha": head,
        "ref": "refs/pull/1/merge" if name == "pull_request" else "refs/heads/main",
        "ref_name": "1/merge" if name == "pull_request" else "main",
        "run_id": f"rehearsal-{int(time.time())}",
        "run_attempt": "1",
        "workflow": "rehearsal",
        "event": {"pull_request": {"base": {"sha": base}}} if name == "pull_request" else {},
    }


def run_git(*args: str, root: Path) -> str:
    """Run git in a repository and return its output; "" when it fails."""
    return spawn(["git", *args], cwd=root, env={}).stdout.strip()


def rehearse(stage: Stage, path: str, inputs: Mapping[str, Any]) -> str:
    """Execute a workflow, of this repository or of the one under test, and return its result; `stage.done` lists the steps."""
    theirs = stage.under_test is not None and Path(path).absolute().is_relative_to(stage.under_test)
    file = (
        WorkflowFile.load(str(Path(path).absolute()), stage.under_test)
        if theirs and stage.under_test
        else WorkflowFile.load(path, stage.root)
    )
    say(f"rehearsing {path} as {stage.github['event_name']}, in {stage.store}")
    sys.stdout.flush()
    for name in ("artifacts", "steps"):
        shutil.rmtree(stage.store / name, ignore_errors=True)
    return str(stage.run(file, inputs)["result"])


def table_of(done: Sequence[StepDone]) -> list[tuple[str, ...]]:
    """Return the steps as rows of a table."""
    rows = [(each.where, each.name, each.outcome, seconds_text(each.seconds) if each.seconds else "") for each in done]
    return [("JOB", "STEP", "OUTCOME", "TOOK"), *rows]
