"""Check GitHub workflows: `${{ }}` occurs only inside values, so the files are valid YAML unrendered."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lab.assets.command import CommandRunner, spawn
from scenarios.ci.lint.coverage import Checked
from scenarios.ci.lint.tools import ACTIONLINT, GITHUB, ROOT, SHELLCHECK, YAMLLINT, ZIZMOR, check_files
from scenarios.ci.lint.yaml_files import Documents

ACTIONLINT_FILES = (".github/actionlint.yaml", ".github/actionlint.yml")
ZIZMOR_FILES = (".github/zizmor.yml", ".github/zizmor.yaml", "zizmor.yml", "zizmor.yaml")


def check_own(run: CommandRunner = spawn) -> list[Checked]:
    """Check this project's own workflows, actions and shell scripts."""
    written = (path for pattern in ("*.yml", "*.yaml") for path in GITHUB.rglob(pattern))
    files = sorted(path for path in written if not {"templates", "files"} & set(path.parts))  # helm renders these
    flows = relative_paths(path for path in files if path.parent.name == "workflows")
    scripts = relative_paths([ROOT / ".ci" / "run", *GITHUB.rglob("*.sh")])
    return [
        check_files(YAMLLINT, relative_paths(files), ROOT, run, "--strict", "-c", str(GITHUB / "yamllint.yaml")),
        check_files(ACTIONLINT, flows, ROOT, run, "-config-file", str(GITHUB / "actionlint.yaml"), path_of=SHELLCHECK),
        check_files(ZIZMOR, relative_paths([GITHUB]), ROOT, run, "--config", str(GITHUB / "zizmor.yml")),
        check_files(SHELLCHECK, scripts, ROOT, run),
    ]


def relative_paths(paths: Iterable[Path]) -> list[str]:
    """Return paths of this project by their names in it."""
    return [str(path.relative_to(ROOT)) for path in paths]


def check_workflows(documents: Documents, root: Path, run: CommandRunner) -> list[Checked]:
    """Check another repository's workflows and actions, by its own configurations or, without them, for faults only, not for policy.

    Without a configuration every runner label is accepted, and only zizmor's findings of high severity and confidence fail, except
    actions that are not pinned to commits.
    """
    configured = next((["-config-file", name] for name in ACTIONLINT_FILES if (root / name).exists()), ["-ignore", 'label ".+" is unknown'])
    own = any((root / name).exists() for name in ZIZMOR_FILES)
    strictness = () if own else ("--min-severity", "high", "--min-confidence", "high", "--config", str(GITHUB / "zizmor-repository.yml"))
    return [
        check_files(ACTIONLINT, documents.named("workflow"), root, run, *configured, kind="workflow", path_of=SHELLCHECK),
        check_files(ZIZMOR, documents.named("workflow", "action", broken=False), root, run, *strictness, kind="workflow"),
    ]
