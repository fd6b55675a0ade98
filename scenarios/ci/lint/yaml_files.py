"""Check YAML and JSON files: each parses, no map holds a key twice, and Kubernetes objects among them are named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import yaml

from lab.assets.command import CommandRunner
from lab.steps import StepOutcome
from scenarios.ci.lint.coverage import Checked, Reason, Unchecked, show_name
from scenarios.ci.lint.documents import ParsedNode, TooDeepError, find_duplicates, read_json, read_yaml
from scenarios.ci.lint.kinds import LintSource
from scenarios.ci.lint.objects import check_objects, find_objects
from scenarios.ci.lint.playbooks import is_playbook
from scenarios.ci.lint.templates import explain, has_bare_expression, is_template
from scenarios.ci.lint.tools import ENV, YAMLLINT, check_files, run_batches

TASTE = ("trailing-spaces", "new-lines", "new-line-at-end-of-file")
LENIENT = json.dumps({"extends": "relaxed", "rules": {rule: {"level": "warning"} for rule in TASTE}})
"""The configuration for repositories without one: faults fail, style does not."""
PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")


@dataclass
class Documents:
    """The parsed YAML and JSON files of a repository: their faults, the playbooks among them and the unreadable files."""

    parsed: dict[str, str] = field(default_factory=dict)
    """The kind of each file that is YAML or JSON, or should be."""
    faults: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """The files that do not parse: tools that need whole files cannot check them."""
    objects: dict[str, list[ParsedNode]] = field(default_factory=dict)
    patches: set[str] = field(default_factory=set)
    unchecked: list[Unchecked] = field(default_factory=list)

    def named(self, *kinds: str, broken: bool = True) -> list[str]:
        """Return the names of the files of these kinds, with or without those that do not parse."""
        return [name for name, kind in self.parsed.items() if kind in kinds and (broken or name not in self.broken)]


def read_files(sources: Sequence[LintSource]) -> Documents:
    """Read every YAML and JSON file; a template is listed, a broken file is a fault."""
    found = Documents()
    for source in sources:
        try:
            documents = read_json(source.text) if source.kind == "json" else read_yaml(source.text)
        except TooDeepError:
            found.unchecked.append(Unchecked(source.name, source.kind, Reason.TOO_DEEP.value))
        except yaml.YAMLError as error:
            if source.kind == "yaml" and not is_playbook(source.name, source.text, []) and is_template(source.name, source.text, error):
                found.unchecked.append(Unchecked(source.name, source.kind, Reason.TEMPLATED.value))
            else:
                playbook = source.kind == "yaml" and is_playbook(source.name, source.text, [])
                found.parsed[source.name] = "playbook" if playbook else source.kind
                found.broken.add(source.name)
                found.faults.append(f"{show_name(source.name)}: {explain(error)}")
        except ValueError as error:
            if reason := judge_json(source):
                found.unchecked.append(Unchecked(source.name, source.kind, reason.value))
            else:
                found.parsed[source.name] = source.kind
                found.broken.add(source.name)
                found.faults.append(f"{show_name(source.name)}: {error}")
        else:
            keep_documents(found, source, documents)
    return found


def keep_documents(found: Documents, source: LintSource, documents: list[ParsedNode]) -> None:
    """Record the faults of one file's documents, and the kinds of its objects."""
    playbook = source.kind == "yaml" and is_playbook(source.name, source.text, documents)
    if source.kind == "yaml" and not playbook and has_bare_expression(documents, source.text):
        found.unchecked.append(Unchecked(source.name, source.kind, Reason.TEMPLATED.value))
        return
    found.parsed[source.name] = "playbook" if playbook else source.kind
    found.faults += [f"{show_name(source.name)}: {fault}" for fault in find_duplicates(documents)]
    if source.kind in {"yaml", "json"} and not playbook and (objects := find_objects(documents)):
        found.objects[source.name] = objects
    if PurePosixPath(source.name).stem.lower() == "kustomization":
        found.patches |= set(find_patches(source.name, documents))


def find_patches(name: str, documents: Sequence[ParsedNode]) -> list[str]:
    """Return the files that a kustomization uses as patches, which need no name of their own."""
    folder = PurePosixPath(name).parent
    entries = [entry for each in documents for key in PATCHES if (patches := each.get(key)) for entry in patches.items]
    paths = [entry.text or entry.string("path") or "" for entry in entries]
    return [(folder / path).as_posix() for path in paths if path]


def judge_json(source: LintSource) -> Reason | None:
    """Return why a text that is not JSON is not a fault: it is JSON5 (comments, commas) or a template."""
    if any(mark in source.text for mark in ("{{", "{%", "<%")):
        return Reason.TEMPLATED
    bare = "".join(line for line in source.text.splitlines(keepends=True) if not line.lstrip().startswith(("//", "#")))
    name = PurePosixPath(source.name).name
    commented = bare != source.text or "/*" in source.text or " // " in source.text
    return Reason.COMMENTED_JSON if commented or name.startswith(("tsconfig", "devcontainer")) or ".vscode/" in source.name else None


def check_syntax(found: Documents) -> Checked:
    """Return whether every YAML and JSON file parses and holds each key once."""
    if not found.parsed:
        return Checked("yaml and json", StepOutcome.SKIP, "no files for it")
    return Checked("yaml and json", StepOutcome.FAIL if found.faults else StepOutcome.PASS, "\n".join(found.faults), len(found.parsed))


def check_manifests(found: Documents) -> Checked:
    """Return whether the Kubernetes objects in plain files have kinds and names that the API server can accept."""
    if not found.objects:
        return Checked("manifests", StepOutcome.SKIP, "no files for it")
    wrong = [
        f"{show_name(name)}: {fault}"
        for name, objects in found.objects.items()
        for fault in check_objects(objects, patches=name in found.patches)
    ]
    return Checked("manifests", StepOutcome.FAIL if wrong else StepOutcome.PASS, "\n".join(wrong), len(found.objects))


def check_style(found: Documents, root: Path, run: CommandRunner) -> Checked:
    """Run yamllint, with the repository's own configuration where it has one, and list the files that it excludes."""
    own = any((root / name).exists() for name in (".yamllint", ".yamllint.yml", ".yamllint.yaml"))
    names = found.named("yaml", "playbook", "workflow", "action")
    checked = check_files(YAMLLINT, names, root, run, "--no-warnings", *(() if own else ("-d", LENIENT)), kind="yaml")
    if not own or checked.outcome not in {StepOutcome.PASS, StepOutcome.FAIL}:
        return checked
    listing = list_linted(names, root, run)
    left = [name for name in names if name.isprintable() and name not in listing]
    unchecked = tuple(Unchecked(name, found.parsed[name], Reason.TOOL_IGNORED.value, YAMLLINT.name) for name in left)
    return Checked(checked.name, checked.outcome, checked.detail, len(names) - len(left), unchecked)


def list_linted(names: Sequence[str], root: Path, run: CommandRunner) -> set[str]:
    """Return which of the files yamllint checks under the repository's configuration."""
    listed: set[str] = set()
    for ran in run_batches([str(YAMLLINT.path()), "--list-files"], names, root, run, ENV):
        listed |= {line.removeprefix("./") for line in ran.stdout.splitlines()}
    return listed
