"""Charts are rendered; templates that nothing came of are listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.assets.command import CommandResult
from lab.steps import StepOutcome
from scenarios.ci.lint.charts import check_chart, find_charts
from scenarios.tests.ci.lint.lint_fakes import OBJECT, Tools, write

pytestmark = pytest.mark.usefixtures("installed")
CHART = "apiVersion: v2\nname: c\nversion: 1.0.0\n"
TEMPLATES = ["chart/templates/a.yaml", "chart/templates/b.yaml", "chart/templates/_c.tpl", "chart/templates/NOTES.txt"]


def chart(root: Path, facts: str = CHART) -> Path:
    return write(root, {"chart/Chart.yaml": facts, **dict.fromkeys(TEMPLATES, "{{ . }}")})


def test_charts_inside_a_chart_are_rendered_with_it() -> None:
    names = ["a/Chart.yaml", "a/charts/b/Chart.yaml", "c/Chart.yaml", "charts/d/Chart.yaml"]

    assert find_charts(names) == ["a", "c", "charts/d"]
    assert find_charts(["Chart.yaml", "charts/b/Chart.yaml"]) == [""]


def test_a_template_that_renders_to_nothing_is_listed(tmp_path: Path) -> None:
    tools = Tools(outputs={"helm": f"---\n# Source: c/templates/a.yaml\n{OBJECT}"})

    checked = check_chart("chart", TEMPLATES, chart(tmp_path), tools)

    assert checked.outcome is StepOutcome.PASS
    assert [(each.name, each.fixable) for each in checked.unchecked] == [("chart/templates/b.yaml", False)]


def test_each_set_of_values_in_ci_is_rendered(tmp_path: Path) -> None:
    root = write(chart(tmp_path), {"chart/ci/all-values.yaml": "b: true\n"})
    tools = Tools(outputs={"helm": OBJECT})

    check_chart("chart", TEMPLATES, root, tools)

    assert [str(root / "chart/ci/all-values.yaml") in args for _, args in tools.ran] == [False, False, True, True]


@pytest.mark.parametrize("rendered", ["a: 1\n", "apiVersion: v1\nkind: ConfigMap\n", f"{OBJECT}data: {{a: 1, a: 2}}\n", "a: b: c\n"])
def test_wrong_objects_fail_the_chart(tmp_path: Path, rendered: str) -> None:
    assert check_chart("chart", TEMPLATES, chart(tmp_path), Tools(outputs={"helm": rendered})).outcome is StepOutcome.FAIL


def test_a_chart_that_helm_refuses_is_wrong(tmp_path: Path) -> None:
    tools = Tools({"helm": 1}, {"helm error": "Error: parse error at (c/templates/a.yaml:1): unexpected EOF"})

    checked = check_chart("chart", TEMPLATES, chart(tmp_path), tools)

    assert (checked.outcome, "unexpected EOF" in checked.detail) == (StepOutcome.FAIL, True)


@pytest.mark.parametrize(
    "error",
    [
        "Error: execution error at (c/templates/a.yaml:2:3): host is required",
        "Error: chart requires kubeVersion: <1.20.0 which is incompatible with Kubernetes v1.35.0",
        "Error: An error occurred while checking for chart dependencies: found in Chart.yaml, but missing in charts/ directory: x",
        "Error: values don't meet the specifications of the schema(s)",
    ],
)
def test_what_a_chart_needs_is_no_fault_of_it(tmp_path: Path, error: str) -> None:
    checked = check_chart("chart", TEMPLATES, chart(tmp_path), Tools({"helm": 1}, {"helm error": error}))

    assert checked.outcome is StepOutcome.UNKNOWN
    assert {each.name for each in checked.unchecked} == set(TEMPLATES)
    assert all(each.fixable and "{chart}" not in each.why.remedy for each in checked.unchecked)


def test_a_chart_without_its_dependencies_is_not_rendered(tmp_path: Path) -> None:
    tools = Tools()
    checked = check_chart("chart", TEMPLATES, chart(tmp_path, f"{CHART}dependencies:\n- name: common\n"), tools)

    assert (checked.outcome, tools.ran) == (StepOutcome.UNKNOWN, [])
    assert "common" in checked.detail


def test_a_library_chart_is_linted_and_not_rendered(tmp_path: Path) -> None:
    tools = Tools()
    checked = check_chart("chart", TEMPLATES, chart(tmp_path, f"{CHART}type: library\n"), tools)

    assert checked.outcome is StepOutcome.PASS
    assert [args[0] for _, args in tools.ran] == ["lint"]


def test_failures_of_lint_are_failures(tmp_path: Path) -> None:
    checked = check_chart(
        "chart", TEMPLATES, chart(tmp_path), lambda *_, **__: CommandResult(1, "[ERROR] version is required", "Error: 1 failed")
    )

    assert (checked.outcome, "version is required" in checked.detail) == (StepOutcome.FAIL, True)
