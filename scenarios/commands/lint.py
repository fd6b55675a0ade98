"""`lab lint`: check a repository that installs Karmada, or this project's own workflows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.cli.options import Output, OutputOption
from lab.errors import UsageError
from lab.hints import command
from lab.steps import StepOutcome
from lab.terminal.text import Look
from scenarios.ci.lint.report import print_checks, print_lint
from scenarios.ci.lint.repository import lint_repository
from scenarios.ci.lint.workflows import check_own


def lint(
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help="A repository, or a folder of one.")] = None,
    workflows: Annotated[bool, typer.Option("--workflows", help="Check .github of this project instead.")] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit with 3, too, when a template, an encrypted or another file of a checked kind was not checked."),
    ] = False,
    output: OutputOption = Output.text,
) -> None:
    """Check the files of a repository, or our workflows.

    Checked are YAML, JSON, manifests, workflows, playbooks, scripts and charts, by yamllint, actionlint, zizmor, ansible-lint, shellcheck
    and helm. Every file is either checked or listed with the reason.

    Exit codes: 0, every file that can be checked was, and is right; 1, something is wrong; 2, a usage error; 3, nothing is wrong, but a
    check that a remedy makes possible was not made: a tool is not installed, a chart's dependencies are missing, a file cannot be read or
    decoded. Files without a remedy (binary, vendored, ignored by git, encrypted, templates outside charts) are listed and do not change
    the exit code, unless --strict is given.

    --workflows runs yamllint, actionlint, zizmor and shellcheck over this project's .github. Exit code 1 when one of them complains; one
    that cannot be run here is unknown.
    """
    if workflows:
        if path or strict or output is not Output.text:
            raise UsageError("--workflows takes no PATH, --strict or --output", remedy="leave them out, or --workflows")
        raise typer.Exit(lint_workflows())
    if path is None:
        raise UsageError("no repository given", remedy=f"{command('lint', 'PATH')}, or {command('lint', '--workflows')}")
    if not path.is_dir():
        raise UsageError(f"{path} does not exist", remedy="name a repository that is checked out")
    found = lint_repository(path.absolute())
    if output is Output.json:
        print(json.dumps(found.document(strict=strict), indent=1))
    else:
        print_lint(found, look=Look.of(sys.stdout))
    raise typer.Exit(found.exit_code(strict=strict))


def lint_workflows() -> int:
    """Check this project's .github, print what was found, and return the exit code."""
    checks = check_own()
    print_checks(checks, look=Look.of(sys.stdout))
    return 1 if any(each.outcome is StepOutcome.FAIL for each in checks) else 0
