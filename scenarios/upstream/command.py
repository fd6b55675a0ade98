"""Plan and run upstream's suite by pytest."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployers.karmada import Karmada
from deployers.release import make_supply
from deployers.wanted import document as lab_document
from deployers.wanted import prepare
from lab.cluster import Lab
from lab.errors import UsageError
from lab.run import Run
from lab.supply_choices import SupplyChoices
from lab.terminal.drawing import open_drawing
from lab.terminal.text import Look, format_table, say
from scenarios.kit.run_command import run_command
from scenarios.matrix.run_cell import exit_code_of, format_command
from scenarios.upstream.fixtures import check
from scenarios.upstream.known import KnownSpec, KnownSpecs
from scenarios.upstream.plan import SuitePlan, make_plan
from scenarios.upstream.spec import Spec
from scenarios.upstream.suite import UpstreamSuite

HERE = Path(__file__).parent.parent
LAB = HERE / "upstream.toml"


@dataclass(frozen=True)
class SuiteRequest:
    """The options of the command line."""

    focus: str
    lab: str | None
    spec: Path | None
    release: str | None
    artifacts: Path
    offline: bool = False
    provider: str | None = None

    @property
    def args(self) -> list[str]:
        """The same options for pytest."""
        given = {"--lab": self.lab, "--lab-spec": self.spec or (None if self.lab else LAB)}
        given |= {"--lab-provider": self.provider, "--lab-release": self.release}
        pairs = [(key, str(value)) for key, value in given.items() if value is not None]
        return (
            [word for pair in pairs for word in pair]
            + (["--lab-offline"] if self.offline else [])
            + ["--lab-artifacts", str(self.artifacts)]
        )


def plan_suite(asked: SuiteRequest) -> SuitePlan:
    """Compile the suite if it is not cached, and return the plan without running it. Raise UsageError as `plan` does."""
    release, provider = read_target(asked)
    with open_drawing("upstream's suite") as screen:
        suite = UpstreamSuite.of(release, make_supply(SupplyChoices(offline=asked.offline), progress=screen.progress))
    return make_plan(suite.specs(), KnownSpecs.load().of(provider=provider, release=suite.release.version), focus=asked.focus)


def read_target(asked: SuiteRequest) -> tuple[str, str]:
    """Return the release and the provider of the requested lab."""
    if asked.lab:
        if asked.release or asked.spec or asked.provider:
            raise UsageError(
                "--lab cannot be combined with --release, --provider or --spec: a running lab has its own",
                remedy="leave out --lab, or the other options",
            )
        karmada = Karmada.open(Lab.open(Run.load(asked.lab)))
        check(karmada)
        return karmada.spec.release, karmada.lab.spec.provider
    path = asked.spec or LAB
    wanted = prepare(lab_document(path, release=asked.release, provider=asked.provider), source=str(path))
    if wanted.karmada is None:
        raise UsageError("this lab has no Karmada", where=str(path), remedy=f"--spec {LAB.relative_to(HERE.parent)}")
    return wanted.karmada.release, wanted.lab.provider


def run(asked: SuiteRequest) -> int:
    """Run the suite by pytest, which brings a lab up or attaches to one; return the exit code."""
    focus = ["--lab-focus", asked.focus] if asked.focus else []
    argv = [sys.executable, "-m", "pytest", str(HERE / "test_upstream.py"), "-m", "thorough", *asked.args, *focus]
    argv += ["--junitxml", str(asked.artifacts / "upstream.xml")]
    say(format_command(argv))
    return exit_code_of(run_command(argv, asked.artifacts / "upstream.log"))


def make_document(planned: SuitePlan) -> dict[str, Any]:
    """Return a plan as JSON."""
    left_out = dict(planned.skipped)

    def known_document(entry: KnownSpec | None) -> dict[str, str] | None:
        return {"owner": entry.owner, "why": entry.why} if entry else None

    def row(spec: Spec) -> dict[str, Any]:
        where = {"file": spec.file, "line": spec.line, "name": spec.name, "serial": spec.serial}
        return {**where, "skip": known_document(left_out.get(spec)), "fails": known_document(planned.expected.get(spec))}

    rows = [row(spec) for spec in sorted([*planned.run, *left_out])]
    return {"schema": 1, "total": planned.total, "idle": [entry.selector for entry in planned.idle], "specs": rows}


def plan_text(planned: SuitePlan, *, look: Look) -> str:
    """Return a plan as text: every spec, with the reason if it is skipped or expected to fail."""
    why = {spec: f"not run; {entry.owner}: {entry.why}" for spec, entry in planned.skipped}
    why |= {spec: f"fails; {entry.owner}: {entry.why}" for spec, entry in planned.expected.items()}
    specs = sorted([*planned.run, *dict(planned.skipped)])
    heading, *rows = format_table([("FILE", "SPEC"), *((spec.file, spec.name) for spec in specs)], look=look)
    lines = [heading]
    for spec, line in zip(specs, rows, strict=True):
        lines += [line, f"    {why[spec]}"] if spec in why else [line]
    lines += [f"matches no spec any more: {entry.selector}" for entry in planned.idle]
    return "\n".join([*lines, f"{len(planned.run)} of {planned.total} specs are run, {len(planned.skipped)} are not"])
