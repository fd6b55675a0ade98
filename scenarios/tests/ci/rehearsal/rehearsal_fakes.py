"""A workflow, and a shell that answers from a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.ci.rehearsal.stage import Stage
from scenarios.ci.rehearsal.workflow import WorkflowFile

CALLED = """
on:
  workflow_call:
    inputs:
      plan: { type: string, required: true }
      extra: { type: string, default: "" }
jobs:
  plan:
    outputs:
      matrix: ${{ steps.m.outputs.matrix }}
      count: ${{ steps.m.outputs.count }}
    steps:
      - uses: actions/checkout@x
      - { id: m, run: plan, env: { ARGS: "--github ${{ inputs.plan }}" } }
      - { uses: actions/upload-artifact@x, with: { name: plan, path: _plan } }
  cell:
    needs: plan
    if: needs.plan.outputs.count != '0'
    strategy: { matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}" }
    steps:
      - { uses: ./.github/actions/cell, with: { cell: "${{ matrix.cell }}" } }
  extra:
    if: inputs.extra != ''
    steps: [{ run: extra }]
  report:
    needs: [plan, cell, extra]
    if: always() && needs.plan.result == 'success'
    steps:
      - { uses: actions/download-artifact@x, with: { pattern: cell-*, path: _cells } }
      - { uses: actions/download-artifact@x, with: { name: plan, path: _plan } }
      - { run: report }
"""
ACTION = """
inputs: { cell: { required: true } }
runs:
  using: composite
  steps:
    - { id: up, run: up, env: { CELL: "${{ inputs.cell }}" } }
    - { name: hint, run: hint, continue-on-error: true }
    - { run: test, if: "${{ !cancelled() && steps.up.outcome == 'success' }}" }
    - { name: only when all went well, run: boast }
    - { run: collect, if: always(), env: { CELL: "${{ inputs.cell }}" } }
    - { uses: actions/upload-artifact@x, if: always(), with: { name: "cell-${{ inputs.cell }}", path: _cells, if-no-files-found: error } }
"""
CALLER = """
on: { pull_request: }
jobs:
  cells:
    uses: ./.github/workflows/called.yml
    with: { plan: "${{ github.event_name == 'pull_request' && format('--since {0}', github.event.pull_request.base.sha) || '--all' }}" }
"""
GITHUB = {"event_name": "pull_request", "event": {"pull_request": {"base": {"sha": "abc"}}}, "sha": "def", "run_id": "1"}


class Shell:
    """Answers commands by their words, and writes what they would."""

    def __init__(self, root: Path, matrix: str = '{"include": [{"cell": "a"}, {"cell": "b"}]}', **statuses: int | BaseException) -> None:
        self.root = root
        self.matrix = matrix
        self.statuses = statuses
        self.ran: list[str] = []
        self.env: dict[str, Mapping[str, str]] = {}

    def __call__(self, argv: list[str], env: Mapping[str, str], _log: Path) -> int:
        words = argv[-1]
        self.ran.append(words + (f" {env['CELL']}" if "CELL" in env else ""))
        self.env[words] = env
        if words == "plan":
            (self.root / "_plan").mkdir()
            (self.root / "_plan" / "plan.json").write_text("{}")
            with Path(env["GITHUB_OUTPUT"]).open("a") as file:
                file.write(f"matrix={self.matrix}\ncount={self.matrix.count('cell')}\n")
        if words == "collect":
            (self.root / "_cells").mkdir()
            (self.root / "_cells" / "cell.json").write_text(env["CELL"])
        if words == "report":
            self.ran += sorted(str(path.relative_to(self.root)) for path in self.root.glob("_*/**/*.json"))
        answer = self.statuses.get(words, 0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def stage(root: Path, shell: Shell, **other: Any) -> Stage:
    return Stage(root / "store", GITHUB, execute=shell, root=root, **other)


def run(root: Path, shell: Shell, **other: Any) -> tuple[str, Stage]:
    on = stage(root, shell, **other)
    return on.run(WorkflowFile.load(".github/workflows/caller.yml", root))["result"], on
