"""Check Helm charts by rendering them: templates are not YAML before rendering."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from lab.assets.command import CommandResult, CommandRunner
from lab.errors import LabError
from lab.steps import StepOutcome
from scenarios.ci.lint.coverage import Checked, Unchecked, Why
from scenarios.ci.lint.documents import ParsedNode, TooDeepError, find_duplicates, read_yaml
from scenarios.ci.lint.objects import check_rendered
from scenarios.ci.lint.tools import HELM, missing_tool

SOURCE = re.compile(r"^# Source: [^/\n]+/(.+)$", re.MULTILINE)
KUBERNETES = "1.35.0"
"""The version that charts are rendered for: helm built from its module assumes 1.20, which many charts refuse."""
NEEDS = {
    "in charts/ directory": ("its dependencies are not in charts/", "helm dependency update {chart}"),
    "missing these dependencies": ("its dependencies are not in charts/", "helm dependency update {chart}"),
    "incompatible with Kubernetes": ("it refuses Kubernetes " + KUBERNETES, "allow it in kubeVersion of {chart}/Chart.yaml"),
    "execution error at": ("it asks for values that it has no defaults for", "add them as {chart}/ci/NAME-values.yaml"),
    "nil pointer evaluating": ("it asks for values that it has no defaults for", "add them as {chart}/ci/NAME-values.yaml"),
    "values don't meet the specifications": ("it asks for values that it has no defaults for", "add them as {chart}/ci/NAME-values.yaml"),
}
"""Failures of rendering that are not the chart's fault, by helm's message: the reason and the remedy."""


def find_charts(names: Sequence[str]) -> list[str]:
    """Return the folders of charts; a chart in another's charts/ is rendered with that one."""
    folders = [name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == "Chart.yaml"]
    below = [f"{each}/charts/" if each else "charts/" for each in folders]
    return [folder for folder in folders if not any(folder.startswith(each) for each in below)]


def check_charts(charts: Sequence[str], templates: Sequence[str], root: Path, run: CommandRunner) -> Iterator[tuple[Checked, list[str]]]:
    """Yield the outcome of each chart, and which of the templates were checked. `templates` are of all charts."""
    for chart in charts:
        own = [name for name in templates if not chart or name.startswith(f"{chart}/")]
        check = check_chart(chart, own, root, run)
        missed = {each.name for each in check.unchecked}
        yield check, [name for name in own if name not in missed]


def check_chart(chart: str, templates: Sequence[str], root: Path, run: CommandRunner) -> Checked:
    """Check that helm accepts a chart, and that it renders to objects with its own values and with each ci/*-values.yaml."""
    check = f"helm {chart or '.'}"
    facts = read_map(root / chart / "Chart.yaml")
    wanted = facts.get("dependencies") if facts else None
    for name in [each.string("name") or "" for each in wanted.items] if wanted else []:
        if not list((root / chart / "charts").glob(f"{name}*")):
            lacking = Why(f"its dependency {name} is not in charts/", f"helm dependency update {chart or '.'}")
            return leave_unchecked(check, templates, lacking)
    try:
        helm = str(HELM.path())
    except LabError as error:
        return missing_tool(check, templates, "chart template", error)
    library = facts is not None and facts.string("type") == "library"
    value_sets = [[], *(["--values", str(path)] for path in sorted((root / chart / "ci").glob("*values.y*ml")))]
    rendered, refused = set[str](), list[Why]()
    for values in value_sets:
        failed, sources, why = render_chart(helm, root / chart, values, run, library=library)
        if failed:
            return Checked(check, StepOutcome.FAIL, failed, len(templates))
        rendered |= sources
        refused += [why] if why else []
    if refused and not rendered:
        return leave_unchecked(check, templates, Why(refused[0].text, refused[0].remedy.format(chart=chart or ".")))
    return Checked(
        check, StepOutcome.PASS, "rendered", len(templates), tuple(list_unrendered(chart, check, templates, rendered, library=library))
    )


def render_chart(helm: str, chart: Path, values: Sequence[str], run: CommandRunner, *, library: bool) -> tuple[str, set[str], Why | None]:
    """Render a chart once; return its faults, the templates that rendered to objects, and why it did not render."""
    version = ["--kube-version", KUBERNETES]
    ran = CommandResult(0, "", "")
    for args in (["lint", "--quiet", *version], *([] if library else [["template", *version]])):
        release = ["release"] if args[0] == "template" else []
        ran = run([helm, *args, *values, "--", *release, str(chart)], cwd=chart, env={})
        if ran.status:
            refusal = judge_refusal(ran)
            output = "\n".join(part.strip() for part in (ran.stdout, ran.stderr) if part.strip())  # lint prints the cause on stdout
            return ("" if refusal else output), set(), refusal
    if library:
        return "", set(), None
    try:
        documents = read_yaml(ran.stdout)
        wrong = [*find_duplicates(documents), *check_rendered(documents)]
    except (yaml.YAMLError, TooDeepError) as error:
        wrong = [" ".join(str(error).split())]
    detail = "\n".join([*(f"rendered {each}" for each in wrong)])
    return detail, set(SOURCE.findall(ran.stdout)), None


def judge_refusal(ran: CommandResult) -> Why | None:
    """Return why a chart did not render if that is not its fault."""
    output = f"{ran.stdout}\n{ran.stderr}"
    return next((Why(*each) for text, each in NEEDS.items() if text in output), None)


def list_unrendered(chart: str, check: str, templates: Sequence[str], rendered: set[str], *, library: bool) -> Iterator[Unchecked]:
    """Yield the templates that rendered to no object: helm has parsed them, but nothing more was checked."""
    for name in templates:
        inside = name.removeprefix(f"{chart}/") if chart else name
        file = inside.rpartition("/")[2]
        if inside not in rendered and not file.startswith("_") and file != "NOTES.txt" and not file.endswith(".tpl"):
            empty = "renders to nothing with the chart's own values and those in its ci/"
            yield Unchecked(name, "chart template", Why("of a library chart: other charts render it" if library else empty), check)


def leave_unchecked(check: str, templates: Sequence[str], why: Why) -> Checked:
    """Return the unknown outcome of a chart that could not be rendered."""
    listed = tuple(Unchecked(name, "chart template", why, check) for name in templates)
    return Checked(check, StepOutcome.UNKNOWN, f"{why.text}: {why.remedy}", 0, listed)


def read_map(path: Path) -> ParsedNode | None:
    """Return the first document of a file when it is a map."""
    try:
        documents = read_yaml(path.read_bytes())
    except (OSError, yaml.YAMLError, TooDeepError, UnicodeDecodeError):
        return None
    return documents[0] if documents and documents[0].kind == "map" else None
