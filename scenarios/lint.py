"""Checks of what is no Python: this project's workflows, and the repositories of people who install Karmada.

A check has an outcome: pass, fail, skip (there is nothing of its kind), or unknown (its tool is not here, and how to get it). Tools
come with the virtual environment, or through `lab.assets`; what of them is not here is never silently passed over.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.assets import resolve
from lab.assets.command import Runner, spawn
from lab.errors import LabError, NotPossible
from lab.steps import Outcome
from scenarios.planner.matrix import HERE

ROOT = HERE.parent
GITHUB = ROOT / ".github"
NEVER = frozenset({".git", ".venv", "node_modules", "vendor", "_runs", "_artifacts", "_cells", "testdata"})
"""Folders whose content is nobody's own."""


@dataclass(frozen=True)
class Checked:
    """What came of one check: `told` is what its tool said, or why there is no saying."""

    name: str
    outcome: Outcome
    told: str = ""


@dataclass(frozen=True)
class Tool:
    """A program that says by its status whether files are well; `path` returns it or raises NotPossible with the way to get it."""

    name: str
    words: tuple[str, ...]
    path: Callable[[], Path]


def installed(program: str, how: str) -> Callable[[], Path]:
    """Return a finder of a program of the virtual environment, or of this computer."""

    def find() -> Path:
        beside = Path(sys.executable).parent / program
        found = beside if beside.exists() else shutil.which(program)
        if not found:
            raise NotPossible(f"{program} is not here", remedy=how)
        return Path(found)

    return find


def asset(name: str) -> Callable[[], Path]:
    """Return a finder of a pinned program."""
    return lambda: next(iter(resolve([name]).values()))


YAMLLINT = Tool("yamllint", (), installed("yamllint", "make setup"))
ZIZMOR = Tool(
    "zizmor", ("--offline", "--no-progress", "--quiet", "--config", str(GITHUB / "zizmor.yml")), installed("zizmor", "make setup")
)
SHELLCHECK = Tool("shellcheck", (), installed("shellcheck", "make setup, or apt-get install shellcheck"))
ACTIONLINT = Tool("actionlint", ("-no-color", "-config-file", str(GITHUB / "actionlint.yaml")), asset("actionlint"))
ANSIBLE = Tool("ansible-lint", ("--offline", "--nocolor", "-q"), installed("ansible-lint", "make setup-lint"))
HELM = Tool("helm", ("lint", "--quiet"), asset("helm"))


def workflows(run: Runner = spawn) -> list[Checked]:
    """Check this project's own workflows, actions and shell scripts."""
    written = (path for pattern in ("*.yml", "*.yaml") for path in GITHUB.rglob(pattern))
    files = sorted(path for path in written if not {"templates", "files"} & set(path.parts))  # those are helm's to fill in
    flows = [path for path in files if path.parent.name == "workflows"]
    return [
        ask(YAMLLINT, files, ROOT, run, "--strict", "-c", str(GITHUB / "yamllint.yaml")),
        ask(ACTIONLINT, flows, ROOT, run, env_path=SHELLCHECK),
        ask(ZIZMOR, [GITHUB], ROOT, run),
        ask(SHELLCHECK, [ROOT / ".ci" / "run", *GITHUB.rglob("*.sh")], ROOT, run),
    ]


def repository(root: Path, run: Runner = spawn) -> list[Checked]:
    """Check a repository: its YAML, shell scripts, playbooks, charts and manifests."""
    files = [path for path in walk(root) if path.is_file()]
    charts = [path.parent for path in files if path.name == "Chart.yaml"]
    written = [path for path in files if path.suffix in {".yml", ".yaml"} and not templated(path, charts)]
    scripts = [path for path in files if path.suffix == ".sh" or (not path.suffix and shebang(path))]
    plays = [path for path in written if is_playbook(path)]
    own = () if any((root / name).exists() for name in (".yamllint", ".yamllint.yml", ".yamllint.yaml")) else ("-d", "relaxed")
    return [
        ask(YAMLLINT, written, root, run, *own),
        ask(SHELLCHECK, scripts, root, run),
        ask(ANSIBLE, plays, root, run),
        *(chart_checked(chart, root, run) for chart in charts),
        *([] if charts else [Checked("helm", Outcome.SKIP, "there are no charts")]),
        manifests_checked(written, root),
    ]


def ask(tool: Tool, files: Sequence[Path], root: Path, run: Runner, *words: str, env_path: Tool | None = None) -> Checked:
    """Ask a tool about files. `env_path` is another that it uses when it finds it."""
    if not files:
        return Checked(tool.name, Outcome.SKIP, "there is nothing for it to look at")
    try:
        program = tool.path()
        beside = [str(env_path.path().parent)] if env_path else []
    except LabError as error:
        return Checked(tool.name, Outcome.UNKNOWN, f"{error.what}: {error.remedy or error.detail or ''}")
    env = {"PATH": os.pathsep.join([*beside, str(program.parent), os.environ.get("PATH", "")])}
    ran = run([str(program), *tool.words, *words, *(str(path.relative_to(root)) for path in files)], cwd=root, env=env)
    told = "\n".join(part.strip() for part in (ran.stdout, ran.stderr) if part.strip())
    return Checked(tool.name, Outcome.FAIL if ran.status else Outcome.PASS, told if ran.status else f"{len(files)} looked at")


def chart_checked(chart: Path, root: Path, run: Runner) -> Checked:
    """Check one chart: that helm accepts it and renders it with its own values, and that objects come of it."""
    name = f"helm {chart.relative_to(root)}"
    wanted = (parsed(chart / "Chart.yaml") or {}).get("dependencies") or []
    if missing := [str(each.get("name")) for each in wanted if not list((chart / "charts").glob(f"{each.get('name')}*"))]:
        return Checked(
            name, Outcome.UNKNOWN, f"{', '.join(missing)} is not in its charts/: helm dependency update {chart.relative_to(root)}"
        )
    linted = ask(HELM, [chart], root, run)
    if linted.outcome is not Outcome.PASS:
        return Checked(name, linted.outcome, linted.told)
    ran = run([str(HELM.path()), "template", "release", str(chart)], cwd=root, env={})
    if ran.status:
        return Checked(name, Outcome.FAIL, ran.last_words)
    wrong = list(objects_wrong(ran.stdout))
    return Checked(name, Outcome.FAIL if wrong else Outcome.PASS, "\n".join(wrong) or "rendered")


def manifests_checked(files: Iterable[Path], root: Path) -> Checked:
    """Check the files that hold objects of Kubernetes: each must be whole, and named."""
    seen, wrong = 0, []
    for path in files:
        text = path.read_text(errors="replace")
        if "apiVersion:" in text and "kind:" in text:
            seen += 1
            wrong += [f"{path.relative_to(root)}: {why}" for why in objects_wrong(text)]
    if not seen:
        return Checked("manifests", Outcome.SKIP, "there are none")
    return Checked("manifests", Outcome.FAIL if wrong else Outcome.PASS, "\n".join(wrong) or f"{seen} looked at")


def objects_wrong(text: str) -> Iterator[str]:
    """Yield what is wrong with the objects in a text of YAML documents."""
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        yield " ".join(str(error).split())
        return
    for number, item in enumerate(documents):
        if item is None:
            continue
        if not isinstance(item, dict):
            yield f"document {number + 1} is no object"
        elif "apiVersion" in item and "kind" in item and not item["kind"].endswith("List"):
            metadata = item.get("metadata") or {}
            configures = "metadata" not in item and "/" in item["apiVersion"]  # as kind's, kustomize's and component configurations
            if not configures and not (metadata.get("name") or metadata.get("generateName")):
                yield f"document {number + 1}: a {item['kind']} without metadata.name"


def walk(root: Path) -> Iterator[Path]:
    """Yield what is below a folder and somebody's own, sorted."""
    for path in sorted(root.iterdir()):
        if path.is_symlink() or path.name in NEVER:
            continue
        yield path
        if path.is_dir():
            yield from walk(path)


def templated(path: Path, charts: Sequence[Path]) -> bool:
    """Tell whether a file is YAML only once somebody has filled it in."""
    return any(chart / "templates" in path.parents for chart in charts) or "{{" in path.read_text(errors="replace")


def shebang(path: Path) -> bool:
    """Tell whether a file is a script for a shell that shellcheck knows."""
    with path.open("rb") as file:
        line = file.readline(64).decode(errors="replace")
    return line.startswith("#!") and line.split()[-1].rpartition("/")[2] in {"sh", "bash", "dash", "ksh"}


def is_playbook(path: Path) -> bool:
    """Tell whether a file holds plays, or tasks of a role."""
    if path.parent.name in {"tasks", "handlers"} and path.parent.parent.parent.name == "roles":
        return True
    content = parsed(path)
    return isinstance(content, list) and bool(content) and all(isinstance(each, dict) and "hosts" in each for each in content)


def parsed(path: Path) -> Any:
    """Return the first document of a file, or None when it has none or is no YAML."""
    try:
        return next(iter(yaml.safe_load_all(path.read_text(errors="replace"))), None)
    except yaml.YAMLError:
        return None
