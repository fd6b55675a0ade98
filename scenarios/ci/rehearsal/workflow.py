"""Read workflows and actions of .github, and check that they fit together, where actionlint does not know this project's rules.

`misfits` checks every file: a `run:` is one `make` target of the Makefile (its output may be appended to the job's summary) and contains
no expression; callers pass every required input and no unknown one; outputs that are read exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.errors import UsageError
from scenarios.matrix.definition import HERE

Json = dict[str, Any]
ROOT = HERE.parent
RUN = re.compile(r'make (?P<target>[a-z][a-z-]*)( >> "\$GITHUB_STEP_SUMMARY")?')
PINNED = re.compile(r"actions/[a-z-]+(/[a-z]+)?@[0-9a-f]{40}")
CALLED = re.compile(r"[\w.-]+/karmada-lab/(?P<path>\.github/workflows/[\w.-]+)@[\w./-]+")
"""A reference to a workflow of this project from another repository."""

OUTPUT = re.compile(r"\bneeds\.([\w-]+)\.outputs\.([\w-]+)")


@dataclass(frozen=True)
class WorkflowFile:
    """A workflow, or an action (`is_action` tells which), and its document. `path` is relative to the repository at `root`."""

    path: str
    document: Json
    root: Path = ROOT

    @classmethod
    def load(cls, path: str, root: Path = ROOT) -> WorkflowFile:
        """Read a file; for an action, `path` is its folder. UsageError when it is missing or not a YAML mapping."""
        file = root / path
        file = file / "action.yml" if file.is_dir() else file
        try:
            document = yaml.safe_load(file.read_bytes())
        except (OSError, yaml.YAMLError) as error:
            known = ", ".join(sorted(str(each.relative_to(root)) for each in (root / ".github" / "workflows").glob("*.yml")))
            raise UsageError(f"reading the workflow {path} failed: {error}", remedy=f"one of: {known}") from error
        if not isinstance(document, dict):
            raise UsageError("not a workflow", where=path)
        if True in document:  # YAML 1.1 reads the key `on` as true
            document["on"] = document.pop(True)
        return cls(str(file.relative_to(root)), document, root)

    @property
    def is_action(self) -> bool:
        return "runs" in self.document

    @property
    def triggers(self) -> Mapping[str, Any]:
        """The events that start it, and their settings."""
        on = self.document.get("on", {})
        return {on: None} if isinstance(on, str) else dict.fromkeys(on) if isinstance(on, list) else on

    @property
    def inputs(self) -> Mapping[str, Json]:
        """Its inputs by name: of workflow_call if it can be called, else of workflow_dispatch."""
        if self.is_action:
            return self.document.get("inputs") or {}
        settings = self.triggers.get("workflow_call") or self.triggers.get("workflow_dispatch") or {}
        return settings.get("inputs") or {}

    @property
    def jobs(self) -> Mapping[str, Json]:
        return self.document.get("jobs") or {}

    def steps(self) -> Iterator[tuple[str, Json]]:
        """Yield (where, step) of every step."""
        for name, job in {"action": self.document["runs"]}.items() if self.is_action else self.jobs.items():
            for number, step in enumerate(job.get("steps") or []):
                yield f"{self.path} {name} step {number + 1}", step

    def started(self, event: str, args: Mapping[str, Any]) -> Json:
        """Return its inputs when an event starts it; a workflow that is only called has those of a call. UsageError if the event cannot."""
        if event in self.triggers and event != "workflow_dispatch":
            if args:
                raise UsageError(f"{event} has no inputs", where=self.path, remedy="--event workflow_dispatch, or no --input")
            return {}
        if event not in self.triggers and "workflow_call" not in self.triggers:
            raise UsageError(
                f"the event {event} does not start this workflow", where=self.path, remedy=f"--event {' or '.join(self.triggers)}"
            )
        return self.resolve_inputs(args)

    def calls(self, uses: str, *, ours: Path) -> WorkflowFile:
        """Return the workflow that a job of this one calls, of the same repository or of `ours`. UsageError for any other."""
        if uses.startswith("./"):
            return WorkflowFile.load(uses.removeprefix("./"), self.root)
        if found := CALLED.fullmatch(uses):
            return WorkflowFile.load(found["path"], ours)
        raise UsageError(
            f"the workflow {uses} is not in this repository", where=self.path, remedy="call a workflow of OWNER/karmada-lab/…@REF"
        )

    def resolve_inputs(self, args: Mapping[str, Any]) -> Json:
        """Return the inputs of a call: the given ones and the defaults of the others. UsageError for unknown or missing inputs."""
        if wrong := list(ill_given(self, args)):
            raise UsageError(wrong[0], where=self.path)
        return {name: args.get(name, given.get("default", "")) for name, given in self.inputs.items()}


def load_all(root: Path = ROOT) -> list[WorkflowFile]:
    """Return all workflows and actions of a repository."""
    flows = sorted((root / ".github" / "workflows").glob("*.yml"))
    actions = sorted((root / ".github" / "actions").glob("*/action.yml"))
    return [WorkflowFile.load(str(path.relative_to(root)), root) for path in (*flows, *(action.parent for action in actions))]


def ill_given(called: WorkflowFile, args: Mapping[str, Any]) -> Iterator[str]:
    """Yield the unknown inputs that a call passes to a workflow or action, and the required ones that it omits."""
    for name in args.keys() - called.inputs.keys():
        yield f"{called.path} has no input {name!r}; it has: {', '.join(called.inputs) or 'none'}"
    for name, given in called.inputs.items():
        if given.get("required") and "default" not in given and name not in args:
            yield f"{called.path} requires the input {name!r}"


def list_targets(makefile: Path = ROOT / "Makefile") -> set[str]:
    """Return the targets of the Makefile that have a help text."""
    return set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile.read_text(), re.M))


def find_misfits(files: list[WorkflowFile], known: set[str]) -> Iterator[str]:
    """Yield every violation, one sentence each; `known` are the targets of the Makefile."""
    for file in files:
        for where, step in file.steps():
            yield from (f"{where}: {why}" for why in step_misfits(step, known))
        if file.is_action:
            continue
        if file.document.get("permissions") != {"contents": "read"}:
            yield f"{file.path}: permissions must be `contents: read` only"
        for name, job in file.jobs.items():
            yield from (f"{file.path} {name}: {why}" for why in job_misfits(file, job))


FAIL = "exit 1"
"""A step that fails its job; its name says why."""


def step_misfits(step: Json, known: set[str]) -> Iterator[str]:
    """Yield the violations of one step."""
    if "run" in step and step["run"] != FAIL:
        match = RUN.fullmatch(step["run"].strip())
        if not match:
            yield f"{step['run'].strip()!r} is not one command of the Makefile"
        elif match["target"] not in known:
            yield f"the Makefile has no target {match['target']!r}"
    uses = step.get("uses", "")
    if uses.startswith("./"):
        yield from ill_given(WorkflowFile.load(uses.removeprefix("./")), step.get("with") or {})
    elif uses and not PINNED.fullmatch(uses):
        yield f"{uses} is not one of GitHub's own actions pinned to a commit"


def job_misfits(file: WorkflowFile, job: Json) -> Iterator[str]:
    """Yield the violations of one job: its calls, its time-out, the outputs of other jobs that it reads."""
    if "uses" in job:
        yield from ill_given(WorkflowFile.load(job["uses"].removeprefix("./")), job.get("with") or {})
    elif "timeout-minutes" not in job:
        yield "it has no timeout-minutes"
    needs = job.get("needs") or []
    needs = [needs] if isinstance(needs, str) else needs
    for other, output in OUTPUT.findall(str(job)):
        if other not in needs:
            yield f"it reads outputs of {other}, which it does not need"
        elif output not in (file.jobs[other].get("outputs") or {}):
            yield f"{other} has no output {output!r}"
