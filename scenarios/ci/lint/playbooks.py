"""Check Ansible playbooks and the tasks of roles. Jinja occurs only inside values, so the files are valid YAML unrendered."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from lab.assets.command import CommandRunner
from lab.errors import LabError
from lab.steps import StepOutcome
from scenarios.ci.lint.coverage import Checked, Unchecked, Why, show_name
from scenarios.ci.lint.documents import ParsedNode
from scenarios.ci.lint.tools import ANSIBLE, ENV, missing_tool, protect, split_batches

PLAY = re.compile(r"^- +(name: .*\n +)?(hosts|import_playbook|ansible\.builtin\.import_playbook):", re.MULTILINE)
ROLE_FOLDERS = frozenset({"tasks", "handlers"})
CONFIGURATIONS = (".ansible-lint", ".ansible-lint.yml", ".ansible-lint.yaml", ".config/ansible-lint.yml", ".config/ansible-lint.yaml")
LENIENT = {"profile": "basic", "skip_list": ["yaml", "name", "no-free-form"]}
"""The configuration of repositories without one: faults, not taste. YAML is yamllint's."""
MODULE = re.compile(r"couldn't resolve module/action '((?!ansible\.(?:builtin|legacy)\.)\w+\.\w+\.[\w.]+)'")
ROLE = re.compile(r"the role '([\w.-]+)' was not found")
INCOMPLETE = (
    (MODULE, "a module of a collection that is not installed here", "ansible-galaxy collection install that collection"),
    (ROLE, "a role that is not installed here", "ansible-galaxy role install that role"),
    (re.compile(r"no vault secrets|vault password", re.IGNORECASE), "encrypted variables", "set ANSIBLE_VAULT_PASSWORD_FILE"),
    (re.compile(r"unable to locate collection"), "a collection that is not installed here", "ansible-galaxy collection install it"),
)
"""Complaints about this computer and not about a playbook: the reason and the remedy."""
ROUNDS = 5
"""Maximum number of runs of ansible-lint: each run reports one missing module of a playbook."""


@dataclass
class Findings:
    """ansible-lint's issues about playbooks, and the modules that it got mocks for."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)


def is_playbook(name: str, text: str, documents: Sequence[ParsedNode]) -> bool:
    """Return whether a file holds plays or tasks of a role. If the file does not parse (no documents), judge by its text."""
    parts = PurePosixPath(name).parts
    if "roles" in parts[:-2] and ROLE_FOLDERS & set(parts[:-1]) and "templates" not in parts and "files" not in parts:
        return True
    if not documents:
        return bool(PLAY.search(text)) and "templates" not in parts
    plays = documents[0]
    keys = ("hosts", "import_playbook", "ansible.builtin.import_playbook")
    return plays.kind == "list" and bool(plays.items) and all(any(each.get(key) for key in keys) for each in plays.items)


def check_playbooks(names: Sequence[str], root: Path, run: CommandRunner) -> Checked:
    """Run ansible-lint. What it cannot judge, because a collection or a role is not installed here, is listed as unchecked."""
    if not names:
        return Checked(ANSIBLE.name, StepOutcome.SKIP, "no files for it")
    try:
        ANSIBLE.path()
    except LabError as error:
        return missing_tool(ANSIBLE.name, names, "playbook", error)
    printable = [name for name in names if name.isprintable()]
    odd = Why("a name that ansible-lint cannot print", "rename it")
    unchecked = [Unchecked(name, "playbook", odd, ANSIBLE.name) for name in names if not name.isprintable()]
    found = run_with_mocks(printable, root, run)
    wrong = []
    for issue in found.issues:
        if why := judge_issue(issue):
            unchecked.append(Unchecked(path_of(issue), "playbook", why, ANSIBLE.name))
        elif issue.get("severity") != "info":
            wrong.append(show_issue(issue))
    missed = {each.name: each for each in unchecked}
    for name in printable:  # mocked modules
        if name not in missed and (used := [each for each in sorted(found.modules) if uses_module(root / name, each)]):
            missed[name] = Unchecked(name, "playbook", Why(f"arguments of {', '.join(used)}: not installed here"), ANSIBLE.name)
    outcome = (
        StepOutcome.FAIL if wrong else StepOutcome.UNKNOWN if found.crashed or any(each.fixable for each in unchecked) else StepOutcome.PASS
    )
    detail = "\n".join([*wrong, *found.crashed]) or "; ".join(sorted({each.why.text for each in unchecked}))
    return Checked(ANSIBLE.name, outcome, detail, len(set(names) - {each.name for each in unchecked}), tuple(missed.values()))


def run_with_mocks(names: Sequence[str], root: Path, run: CommandRunner) -> Findings:
    """Run ansible-lint until it reports no further missing module, with mocks for modules of collections that are not installed.

    A repository with its own configuration lists its mocks there.
    """
    own = any((root / each).exists() for each in CONFIGURATIONS)
    modules, roles, todo, kept = set[str](), set[str](), list(names), list[dict[str, Any]]()
    for _ in range(1 if own else ROUNDS):
        found = run_batches_of(todo, root, run, None if own else {**LENIENT, "mock_modules": sorted(modules), "mock_roles": sorted(roles)})
        found.modules, found.roles = modules.copy(), roles.copy()
        messages = "\n".join(map(text_of, found.issues))
        lacking, lacking_roles = set(MODULE.findall(messages)) - modules, set(ROLE.findall(messages)) - roles
        if not lacking and not lacking_roles:
            break
        collections = {each.rpartition(".")[0] for each in lacking}
        modules |= {each for name in names for each in list_modules(root / name) if each.rpartition(".")[0] in collections} | lacking
        roles |= lacking_roles
        affected = {path_of(each) for each in found.issues if judge_issue(each)}
        if affected <= set(todo):  # an issue may be in a file that a playbook includes: then all run again
            kept += [each for each in found.issues if path_of(each) not in affected]
            todo = [name for name in todo if name in affected]
    found.issues = list({json.dumps(each): each for each in (*kept, *found.issues)}.values())
    return found


def run_batches_of(names: Sequence[str], root: Path, run: CommandRunner, configuration: dict[str, Any] | None) -> Findings:
    """Run ansible-lint once on all files, with that configuration or the repository's own."""
    program, found = ANSIBLE.path(), Findings()
    env = {**ENV, "PATH": os.pathsep.join([str(program.parent), os.environ.get("PATH", "")])}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ansible-lint.yml"
        file.write_text(json.dumps(configuration))
        for batch in split_batches(names):
            argv = [str(program), *ANSIBLE.args, *(["-c", str(file)] if configuration else []), "--", *map(protect, batch)]
            ran = run(argv, cwd=root, env=env)
            issues = read_issues(ran.stdout)
            found.issues += issues
            if ran.status and not (ran.status in ANSIBLE.findings and issues):
                found.crashed.append(f"{ANSIBLE.name} ended with status {ran.status}: {ran.last_lines}")
    return found


def list_modules(path: Path) -> set[str]:
    """Return the full names of modules that a file uses."""
    return set(re.findall(r"^[ -]*([a-z]\w*\.\w+\.[\w.]+):", path.read_text(errors="replace"), re.MULTILINE))


def uses_module(path: Path, module: str) -> bool:
    """Return whether a file uses a module."""
    return module in list_modules(path)


def text_of(issue: dict[str, Any]) -> str:
    """Return the whole text of an issue."""
    return f"{issue.get('description', '')}\n{issue.get('content', {}).get('body', '')}"


def read_issues(text: str) -> list[dict[str, Any]]:
    """Return the issues in ansible-lint's codeclimate output; none when it printed something else."""
    try:
        issues = json.loads(text)
    except ValueError:
        return []
    return [each for each in issues if isinstance(each, dict)] if isinstance(issues, list) else []


def judge_issue(issue: dict[str, Any]) -> Why | None:
    """Return why ansible-lint could not judge a file, or None when the issue is about the file."""
    return next((Why(text, remedy) for pattern, text, remedy in INCOMPLETE if pattern.search(text_of(issue))), None)


def path_of(issue: dict[str, Any]) -> str:
    """Return the file that an issue is about."""
    return str(issue.get("location", {}).get("path", "")).removeprefix("./")


def show_issue(issue: dict[str, Any]) -> str:
    """Return an issue as a line: where, what, and for an internal error ansible's message."""
    location = issue.get("location", {})
    begin = (location.get("positions") or location.get("lines") or {}).get("begin", "")
    line = begin.get("line") if isinstance(begin, dict) else begin
    body = issue.get("content", {}).get("body", "") if issue.get("check_name") == "internal-error" else ""
    errors = "".join(f"\n  {each}" for each in body.splitlines() if "ERROR" in each or "Could not" in each)
    return f"{show_name(path_of(issue))}:{line}: {issue.get('check_name')}: {issue.get('description')}{errors}"
