"""The steps of one job, executed in order as a runner would: conditions, environment, outputs, local actions and artifacts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from lab.errors import UsageError
from lab.interrupt import Interrupted
from scenarios.ci.rehearsal.expressions import Contexts, as_text, condition, matching, template
from scenarios.ci.rehearsal.workflow import ROOT, WorkflowFile

Json = dict[str, Any]
HERE = ("actions/setup-python", "actions/setup-go", "actions/cache")
"""Actions that only bring what this computer has."""

Execute = Callable[[list[str], Mapping[str, str], Path], int]
"""Runs a command with an environment, keeps what it prints in a log, and returns its status."""


@dataclass(frozen=True)
class StepDone:
    """What came of one step, as the table shows it: success, failure, cancelled, skipped, or here (nothing had to be done)."""

    where: str
    name: str
    outcome: str
    seconds: float = 0.0


@dataclass
class JobRunner:
    """One job's runner. `store` is where artifacts and the files of commands go; `values` are the contexts that the job sees."""

    store: Path
    values: Json
    execute: Execute
    root: Path = ROOT
    under_test: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    done: list[StepDone] = field(default_factory=list)
    status: str = "success"
    remembered: Json = field(default_factory=dict)
    """What later steps and the job's outputs see of its steps, by their ids."""

    def run(self, steps: list[Json], where: str, *, inside: Json | None = None) -> str:
        """Execute steps in order; return success, failure or cancelled. `inside` are the contexts of an action: its inputs."""
        values = {**self.values, **(inside or {}), "steps": {}}
        before = self.status
        if inside is None:
            self.remembered = values["steps"]
        mine = "success"
        for number, step in enumerate(steps):
            contexts = self.contexts(values, mine)
            if not condition(step.get("if"), contexts):
                self.note(where, step, number, "skipped")
                self.remember(values, step, "skipped", {})
                continue
            began = time.monotonic()
            outcome, outputs = self.step(step, contexts, f"{where}.{number + 1}")
            if "uses" not in step or outcome == "here" or not step["uses"].startswith("./"):
                self.note(where, step, number, outcome, time.monotonic() - began)
            self.remember(values, step, outcome, outputs)
            if outcome == "cancelled" or (outcome == "failure" and not step.get("continue-on-error")):
                mine = self.status = outcome if mine != "cancelled" else mine
        if inside is not None:
            self.status = before if mine == "success" else mine
        return mine

    def contexts(self, values: Json, mine: str) -> Contexts:
        worst = "cancelled" if "cancelled" in (mine, self.status) else "failure" if "failure" in (mine, self.status) else "success"
        return Contexts(
            {**values, "env": dict(self.env), "job": {"status": worst}},
            {
                "always": lambda: True,
                "success": lambda: worst == "success",
                "failure": lambda: worst == "failure",
                "cancelled": lambda: worst == "cancelled",
            },
        )

    def step(self, step: Json, contexts: Contexts, where: str) -> tuple[str, Json]:
        """Execute one step; return its outcome and outputs."""
        if "run" in step:
            return self.command(step, contexts, where)
        words = {key: template(as_text(value), contexts) for key, value in (step.get("with") or {}).items()}
        name = step["uses"].partition("@")[0]
        if name.startswith("./"):
            action = WorkflowFile.load(name.removeprefix("./"), self.root)
            return self.run(action.document["runs"]["steps"], where, inside={"inputs": action.given(words)}), {}
        if name in HERE or (name == "actions/checkout" and "path" not in words):
            return "here", {}
        imitated: dict[str, Callable[[Json], tuple[str, Json]]] = {
            "actions/checkout": self.checkout,
            "actions/cache/restore": self.restore,
            "actions/cache/save": self.save,
            "actions/upload-artifact": self.upload,
            "actions/download-artifact": self.download,
        }
        if name not in imitated:
            raise UsageError(f"the action {name} is not imitated here", where=where)
        return imitated[name](words)

    def command(self, step: Json, contexts: Contexts, where: str) -> tuple[str, Json]:
        """Execute the words of a `run:` in bash, as GitHub does; what it writes for later steps is kept."""
        folder = self.store / "steps" / where.replace(" / ", ".").replace(" ", ".")
        said = {name: folder / name for name in ("output", "env", "summary")}
        folder.mkdir(parents=True, exist_ok=True)
        for path in said.values():
            path.write_text("")
        env = {
            "CI": "true",
            **self.env,
            **{key: as_text(template(as_text(value), contexts)) for key, value in (step.get("env") or {}).items()},
            "GITHUB_OUTPUT": str(said["output"]),
            "GITHUB_ENV": str(said["env"]),
            "GITHUB_STEP_SUMMARY": str(said["summary"]),
            "GITHUB_SHA": as_text(contexts.values["github"].get("sha")),
            "GITHUB_RUN_ID": as_text(contexts.values["github"].get("run_id")),
        }
        words = as_text(template(step["run"], contexts))
        try:
            status = self.execute(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", words], env, folder / "log")
        except Interrupted:
            return "cancelled", {}
        self.env |= dict(pairs(said["env"]))
        return "failure" if status else "success", dict(pairs(said["output"]))

    def checkout(self, words: Json) -> tuple[str, Json]:
        """Have the repository under test where the workflow checks it out; it is somebody's, and only linked."""
        if self.under_test is None:
            raise UsageError("this workflow checks out a repository under test, and none is given", remedy="name it: --under-test PATH")
        (self.root / words["path"]).symlink_to(self.under_test)
        return "success", {}

    # -- caches and artifacts are folders ---------------------------------------------------------------------------------

    def restore(self, words: Json) -> tuple[str, Json]:
        """Bring back what was saved under this key, else the newest that begins with one of the others; nothing is well, too."""
        there = sorted((self.store / "caches").glob("*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        wanted = [words["key"], *(words.get("restore-keys") or "").split()]
        named = {unquote(path.name): path for path in there}
        found = next((path for key in wanted for name, path in named.items() if name.startswith(key)), None)
        if found:
            shutil.copytree(found, self.root, dirs_exist_ok=True)
        return "success", {"cache-hit": "true" if words["key"] in named else "false"}

    def save(self, words: Json) -> tuple[str, Json]:
        """Keep files of the workspace under a key; what is kept under it already stays."""
        target = self.store / "caches" / quote(words["key"], safe="")
        if target.exists():
            return "success", {}
        for path in words["path"].split():
            if (source := self.root / path).exists():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(source, target / path) if source.is_dir() else shutil.copy2(source, target / path)
        return "success", {}

    def upload(self, words: Json) -> tuple[str, Json]:
        """Keep a folder of the workspace as an artifact."""
        source, target = self.root / words["path"], self.store / "artifacts" / words["name"]
        if not source.exists():
            return ("failure" if words.get("if-no-files-found") == "error" else "success"), {}
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        return "success", {}

    def download(self, words: Json) -> tuple[str, Json]:
        """Bring artifacts back: the one that is named into the path, those of a pattern into folders of their own."""
        there = sorted(path.name for path in (self.store / "artifacts").glob("*"))
        if "name" in words:
            if words["name"] not in there:
                return "failure", {}
            shutil.copytree(self.store / "artifacts" / words["name"], self.root / words["path"], dirs_exist_ok=True)
            return "success", {}
        for name in matching(there, words.get("pattern") or "*"):
            shutil.copytree(self.store / "artifacts" / name, self.root / words["path"] / name, dirs_exist_ok=True)
        return "success", {}

    # -- what is remembered ------------------------------------------------------------------------------------------------

    def note(self, where: str, step: Json, number: int, outcome: str, seconds: float = 0.0) -> None:
        name = step.get("name") or step.get("run") or step.get("uses", "").partition("@")[0]
        self.done.append(StepDone(where, name or f"step {number + 1}", outcome, seconds))

    @staticmethod
    def remember(values: Json, step: Json, outcome: str, outputs: Json) -> None:
        """Let later steps see how this one ended; GitHub's `outcome` is before continue-on-error, `conclusion` after it."""
        if name := step.get("id"):
            conclusion = "success" if step.get("continue-on-error") else outcome
            values["steps"][name] = {"outcome": outcome, "conclusion": conclusion, "outputs": outputs}


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what a command wrote for later steps: NAME=VALUE lines, and NAME<<END blocks."""
    lines = iter(path.read_text().splitlines())
    for line in lines:
        name, sign, value = line.partition("=")
        if "<<" in name or not sign:
            name, _, end = line.partition("<<")
            yield name, "\n".join(iter(lambda: next(lines, end), end))  # noqa: B023 (used at once)
        else:
            yield name, value


@contextmanager
def workspace(root: Path, folders: tuple[str, ...], aside: Path) -> Iterator[None]:
    """Have the folders that jobs write to empty, as on a fresh runner; what was in them comes back afterwards."""
    moved = [(root / name, aside / name) for name in folders if (root / name).exists()]
    for path, kept in moved:
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.replace(kept)
    try:
        yield
    finally:
        for name in folders:
            if (root / name).is_symlink():
                (root / name).unlink()
            shutil.rmtree(root / name, ignore_errors=True)
        for path, kept in moved:
            kept.replace(path)
