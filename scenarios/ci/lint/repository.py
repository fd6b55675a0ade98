"""Check a repository: find its files, decide what each is, run the checks, and account for every file."""

from __future__ import annotations

from pathlib import Path

from lab.assets.command import CommandRunner, spawn
from lab.steps import StepOutcome
from scenarios.ci.lint.charts import check_charts, find_charts
from scenarios.ci.lint.coverage import Checked, Lint, Unchecked
from scenarios.ci.lint.files import find_files
from scenarios.ci.lint.kinds import LintSource, Skipped, classify
from scenarios.ci.lint.playbooks import check_playbooks
from scenarios.ci.lint.scripts import check_python, check_shell
from scenarios.ci.lint.workflows import check_workflows
from scenarios.ci.lint.yaml_files import check_manifests, check_style, check_syntax, read_files


def lint_repository(root: Path, run: CommandRunner = spawn) -> Lint:
    """Check every file below a folder that a check exists for, and list every other one with the reason."""
    tree = find_files(root, run)
    charts = find_charts(tree.names)
    unchecked, sources = list(tree.unchecked), list[LintSource]()
    for name in tree.names:
        found = classify(root, name, charts)
        if isinstance(found, Skipped):
            unchecked.append(Unchecked(name, found.kind, found.why))
        else:
            sources.append(found)
    shell = [each for each in sources if each.kind == "shell"]
    python = [each for each in sources if each.kind == "python"]
    documents = read_files([each for each in sources if each.kind in {"yaml", "json", "workflow", "action"}])
    rendered = list(check_charts(charts, [each.name for each in sources if each.kind == "chart template"], root, run))
    checks = [
        check_syntax(documents),
        check_style(documents, root, run),
        check_manifests(documents),
        *check_workflows(documents, root, run),
        check_playbooks(documents.named("playbook", broken=False), root, run),
        check_shell(shell, root, run),
        check_python(python),
        *(check for check, _ in rendered),
        *([] if charts else [Checked("helm", StepOutcome.SKIP, "no charts")]),
    ]
    missed = {each.name for check in checks if check.name in {"shellcheck", "python"} for each in check.unchecked}
    checked = {
        **documents.parsed,
        **{name: "chart template" for _, names in rendered for name in names},
        **{each.name: each.kind for each in (*shell, *python) if each.name not in missed},
    }
    return Lint(checks, checked, [*unchecked, *documents.unchecked])
