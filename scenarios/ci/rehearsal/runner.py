"""Execute the steps of one job in order, as a runner would: conditions, environment, outputs, local actions and artifacts."""

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
from scenarios.ci.rehearsal.expressions import Contexts, as_text, evaluate_condition, fill_template, match_names
from scenarios.ci.rehearsal.workflow import ROOT, WorkflowFile

Json = dict[str, Any]
HERE = ("actions/setup-python", "actions/setup-go", "actions/cache")
"""Actions that only install what this computer has already."""

Execute = Callable[[list[str], Mapping[str, str], Path], int]
"""Runs a command with an environment, writes its output to a log, and returns its status."""


@dataclass(frozen=True)
class StepDone:
    """The outcome of one step for the table: success, failure, cancelled, skipped, or here (nothing had to be done)."""

    where: str
    name: str
    outcome: str
    seconds: float = 0.0


@dataclass
class JobRunner:
    """One job's runner. `store` is the folder of artifacts and command files; `values` are the contexts of the job."""

    store: Path
    values: Json
    execute: Execute
    root: Path = ROOT
    under_test: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    done: list[StepDone] = field(default_factory=list)
    status: str = "success"
    remembered: Json = field(default_factory=dict)
    """The `steps` context by step id, for later steps and the job's outputs."""

    def run(self, steps: list[Json], where: str, *, inside: Json | None = None) -> str:
        """Execute steps in order; return success, failure or cancelled. `inside` are the contexts of an action: its inputs."""
        values = {**self.values, **(inside or {}), "steps": {}}
        before = self.status
        if inside is None:
            self.remembered = values["steps"]
        mine = "success"
        for number, step in enumerate(steps):
            contexts = self.contexts(values, mine)
            if not evaluate_condition(step.get("if"), contexts):
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
        args = {key: fill_template(as_text(value), contexts) for key, value in (step.get("with") or {}).items()}
        name = step["uses"].partition("@")[0]
        if name.startswith("./"):
            action = WorkflowFile.load(name.removeprefix("./"), self.root)
            return self.run(action.document["runs"]["steps"], where, inside={"inputs": action.resolve_inputs(args)}), {}
        if name in HERE or (name == "actions/checkout" and "path" not in args):
            return "here", {}
        imitated: dict[str, Callable[[Json], tuple[str, Json]]] = {
            "actions/checkout": self.checkout,
            "actions/cache/restore": self.restore,
            "actions/cache/save": self.save,
            "actions/upload-artifact": self.upload,
            "actions/download-artifact": self.download,
        }
        if name not in imitated:
            raise UsageError(f"the action {name} is not supported", where=where)
        return imitated[name](args)

    def command(self, step: Json, contexts: Contexts, where: str) -> tuple[str, Json]:
        """Execute a `run:` in bash, as GitHub does; keep the environment and outputs that it sets."""
        folder = self.store / "steps" / where.replace(" / ", ".").replace(" ", ".")
        files = {name: folder / name for name in ("output", "env", "summary")}
        folder.mkdir(parents=True, exist_ok=True)
        for path in files.values():
            path.write_text("")
        env = {
            "CI": "true",
            **self.env,
            **{key: as_text(fill_template(as_text(value), contexts)) for key, value in (step.get("env") or {}).items()},
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_ENV": str(files["env"]),
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "GITHUB_SHA": as_text(contexts.values["github"].get("sha")),
            "GITHUB_RUN_ID": as_text(contexts.values["github"].get("run_id")),
        }
        script = as_text(fill_template(step["run"], contexts))
        try:
            status = self.execute(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script], env, folder / "log")
        except Interrupted:
            return "cancelled", {}
        self.env |= dict(read_pairs(files["env"]))
        return "failure" if status else "success", dict(read_pairs(files["output"]))

    def checkout(self, args: Json) -> tuple[str, Json]:
        """Link the repository under test to the place where the workflow checks it out: it is the user's, so it is not copied."""
        if self.under_test is None:
            raise UsageError("this workflow checks out a repository under test, and none is given", remedy="give it by --under-test PATH")
        (self.root / args["path"]).symlink_to(self.under_test)
        return "success", {}

    # -- caches and artifacts are folders ---------------------------------------------------------------------------------

    def restore(self, args: Json) -> tuple[str, Json]:
        """Restore what was saved under this key, else the newest entry with a key that begins with a restore key. A miss is a success."""
        there = sorted((self.store / "caches").glob("*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        wanted = [args["key"], *(args.get("restore-keys") or "").split()]
        named = {unquote(path.name): path for path in there}
        found = next((path for key in wanted for name, path in named.items() if name.startswith(key)), None)
        if found:
            shutil.copytree(found, self.root, dirs_exist_ok=True)
        return "success", {"cache-hit": "true" if args["key"] in named else "false"}

    def save(self, args: Json) -> tuple[str, Json]:
        """Save files of the workspace under a key, unless the key exists."""
        target = self.store / "caches" / quote(args["key"], safe="")
        if target.exists():
            return "success", {}
        for path in args["path"].split():
            if (source := self.root / path).exists():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(source, target / path) if source.is_dir() else shutil.copy2(source, target / path)
        return "success", {}

    def upload(self, args: Json) -> tuple[str, Json]:
        """Save a folder of the workspace as an artifact."""
        source, target = self.root / args["path"], self.store / "artifacts" / args["name"]
        if not source.exists():
            return ("failure" if args.get("if-no-files-found") == "error" else "success"), {}
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        return "success", {}

    def download(self, args: Json) -> tuple[str, Json]:
        """Restore artifacts: a named one into the path, those that match a pattern each into its own folder."""
        there = sorted(path.name for path in (self.store / "artifacts").glob("*"))
        if "name" in args:
            if args["name"] not in there:
                return "failure", {}
            shutil.copytree(self.store / "artifacts" / args["name"], self.root / args["path"], dirs_exist_ok=True)
            return "success", {}
        for name in match_names(there, args.get("pattern") or "*"):
            shutil.copytree(self.store / "artifacts" / name, self.root / args["path"] / name, dirs_exist_ok=True)
        return "success", {}

    # -- what is remembered ------------------------------------------------------------------------------------------------

    def note(self, where: str, step: Json, number: int, outcome: str, seconds: float = 0.0) -> None:
        name = step.get("name") or step.get("run") or step.get("uses", "").partition("@")[0]
        self.done.append(StepDone(where, name or f"step {number + 1}", outcome, seconds))

    @staticmethod
    def remember(values: Json, step: Json, outcome: str, outputs: Json) -> None:
        """Record a step's result for later steps; GitHub's `outcome` is before continue-on-error, `conclusion` after it."""
        if name := step.get("id"):
            conclusion = "success" if step.get("continue-on-error") else outcome
            values["steps"][name] = {"outcome": outcome, "conclusion": conclusion, "outputs": outputs}


def read_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the variables that a command wrote for later steps: NAME=VALUE lines and NAME<<END blocks."""
    lines = iter(path.read_text().splitlines())
    for line in lines:
        name, sign, value = line.partition("=")
        if "<<" in name or not sign:
            name, _, end = line.partition("<<")
            yield name, "\n".join(iter(lambda: next(lines, end), end))  # noqa: B023 (used at once)
        else:
            yield name, value


@contextmanager
def clear_workspace(root: Path, folders: tuple[str, ...], aside: Path) -> Iterator[None]:
    """Empty the folders that jobs write to, as on a fresh runner; put their contents back afterwards."""
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
