"""`lab doctor`: what this computer can do."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import typer

from lab.commands.options import Output, OutputOption
from lab.console import Look, table

if TYPE_CHECKING:
    from lab.doctor import Report
    from lab.limits.finding import Needs


def doctor(output: OutputOption = Output.text) -> None:
    """Say what this computer can do, and what it lacks.

    For each thing that is missing: what it would enable, and how to get it.

    Exit code 0 when the default lab can be brought up here, 3 when it cannot.
    """
    from lab.computer import Computer
    from lab.doctor import examine, providers

    report = examine(Computer(), needs_of_default())
    if output is Output.json:
        print(json.dumps({**asdict(report), "default_lab": report.can, "providers": dict(providers(report))}, indent=1))
    else:
        print("\n".join(picture(report, look=Look.of(sys.stdout))))
    if not report.can:
        raise typer.Exit(3)


def needs_of_default() -> Needs:
    """Return what the default lab takes, by its provider's figures and by what the cache lacks."""
    from deployers.bring_up import document, prepare
    from deployers.release import catalogue
    from lab.assets import Supply
    from lab.run import runs_root

    wanted = prepare(document())
    supply = Supply(catalogue=catalogue())
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


def picture(report: Report, *, look: Look) -> list[str]:
    """Return the report as a person reads it."""
    from lab.doctor import providers

    rows = [("", "THING", "FOUND", "FOR")]
    rows += [("yes" if f.ok else "NO" if f.needed else "no", f.name, shortened(f.found), f.enables) for f in report.findings]
    lines = table(rows, look=look, styles={"yes": ("green",), "NO": ("red", "bold"), "no": ("yellow",)})
    if lacking := [finding for finding in report.findings if not finding.ok]:
        lines += ["", look.paint("what to do about what is missing:", "bold")]
        for finding in lacking:
            lines += [f"  {finding.name}: {finding.found}", f"      remedy: {finding.remedy}"]
    lines.append("")
    for name, why in providers(report).items():
        lines.append(f"clusters by {name}: " + (look.paint("possible here", "green") if not why else f"lacks {why}"))
    verdict = (
        look.paint("the default lab can run here: lab up", "green") if report.can else look.paint("the default lab cannot run here", "red")
    )
    return [*lines, verdict]


def shortened(text: str, width: int = 70) -> str:
    """Return a text that fits a column; the whole of it is in `-o json`."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"
