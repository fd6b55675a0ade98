"""`lab doctor`: check whether a lab can run on this computer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import typer

from deployers.release import make_supply
from deployers.up.preflight import preflight_errors
from deployers.wanted import Wanted, read_wanted
from lab.assets import Supply
from lab.cli.options import DEFAULT_LAB, LabName, Output, OutputOption, SpecRequest, SupplyRequest, take_options
from lab.computer import Computer
from lab.doctor.examine import DoctorReport, examine, list_provider_lacks
from lab.hints import command
from lab.limits.finding import Needs
from lab.machine_kinds import KINDS
from lab.preflight import SPEC, Problem, raise_problems
from lab.run import runs_root
from lab.terminal.text import Look, format_table


@dataclass(frozen=True, kw_only=True)
class DoctorRequest(SupplyRequest, SpecRequest):
    """The options of `lab doctor`."""

    lab: LabName = DEFAULT_LAB
    output: OutputOption = Output.text


@take_options(DoctorRequest)
def doctor(asked: DoctorRequest) -> None:
    """Check whether this computer can run a lab.

    Takes the options of `lab up`. For each missing thing, names what it would enable and how to get it.

    Exit code 0 when the lab can be brought up here, 2 when its spec is wrong, 3 when this computer cannot do it.
    """
    wanted = read_wanted(asked.spec, asked.changes)
    supply = make_supply(asked.choices)
    problems = preflight_errors(wanted, supply, lab=asked.lab)
    if any(problem.code == SPEC for problem in problems):
        raise_problems(problems)
    report = examine(Computer(), needs_of(wanted, supply))
    processes = wanted.lab.provider == "embedded"  # what the report calls needed is what a lab of processes needs
    can = not problems and (report.can or not processes)
    if asked.output is Output.json:
        found = {"default_lab": can, "problems": [asdict(problem) for problem in problems], "providers": dict(list_provider_lacks(report))}
        print(json.dumps({**asdict(report), **found}, indent=1))
    else:
        look = Look.of(sys.stdout)
        name = str(asked.spec) if asked.spec else "the default lab" if not any(asked.changes.values()) else "this lab"
        print("\n".join([*picture(report, look=look), *verdict(name, can, problems, look=look)]))
    if not can:
        raise typer.Exit(3)


def needs_of(wanted: Wanted, supply: Supply) -> Needs:
    """Return the resources that a lab needs: its provider's estimate and the assets missing in the cache."""
    pins = supply.pinned(wanted.software())
    lacking = [pin for pin in pins.values() if supply.cache.find(pin, use=False) is None]
    products = {(pin.product, pin.version): pin.cold for pin in lacking}
    urls: dict[str, str] = {}
    for pin in pins.values():
        if pin.download is not None:
            urls.setdefault(pin.download.url.split("/")[2], pin.download.url)
    needs = replace(
        wanted.provider.estimate(wanted.lab),
        total=len(pins),
        missing=tuple(str(pin.ref) for pin in lacking),
        build_minutes=sum(cold.minutes for cold in products.values()),
        build_bytes=int(sum(cold.gib for cold in products.values()) * 2**30),
        urls=tuple(urls.values()),
        cache=supply.cache.root,
        runs=runs_root(),
    )
    module = next((f"{pin.module}@{pin.module_version}" for pin in (lacking or pins.values())), "")
    return replace(needs, module=module)


def picture(report: DoctorReport, *, look: Look) -> list[str]:
    """Return the report as lines of text."""
    rows = [("", "THING", "FOUND", "FOR")]
    rows += [("yes" if f.ok else "NO" if f.needed else "no", f.name, shorten(f.found), f.enables) for f in report.findings]
    lines = format_table(rows, look=look, styles={"yes": ("green",), "NO": ("red", "bold"), "no": ("yellow",)})
    if lacking := [finding for finding in report.findings if not finding.ok]:
        lines += ["", look.paint("how to get what is missing:", "bold")]
        for finding in lacking:
            lines += [f"  {finding.name}: {finding.found}", f"      remedy: {finding.remedy}"]
    lines.append("")
    for name, why in list_provider_lacks(report).items():
        lines.append(f"clusters by {name}: " + (look.paint("possible here", "green") if not why else f"lacks {why}"))
    for kind, check in KINDS.items():
        why = "; ".join(problem.why.removeprefix("machines: ") for problem in check(Computer()))
        lines.append(f"machines of kind {kind}: " + (why or look.paint("possible here", "green")))
    return lines


def verdict(name: str, can: bool, problems: Sequence[Problem], *, look: Look) -> list[str]:
    """Return the verdict, with every problem that keeps the lab from running here."""
    if can:
        return [look.paint(f"{name} can run here: {command('up')}", "green")]
    return [look.paint(f"{name} cannot run here", "red"), *(f"  {problem}" for problem in problems)]


def shorten(text: str, width: int = 70) -> str:
    """Return a text cut to a column; `-o json` has the whole."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"
